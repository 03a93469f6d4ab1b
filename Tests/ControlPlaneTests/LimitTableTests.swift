import CloudCore
import TestSupport
import Testing

/// The table of limits, and its document.
@Suite("The table of limits")
struct LimitTableTests {
    @Test("docs/limits.md has the same tables")
    func document() throws {
        for section in Limits.sections {
            let rows = section.limits.map { ["`\($0.name)`", $0.limit.what, "\($0.limit.most)", $0.limit.answer] }
            #expect(!rows.isEmpty)
            try DocumentedTable(path: "docs/limits.md", heading: "## \(section.title)").check(rows)
        }
    }

    @Test("No two limits of a section have one name, and every limit is a positive number")
    func numbers() {
        for section in Limits.sections {
            #expect(Set(section.limits.map(\.name)).count == section.limits.count)
            for (name, limit) in section.limits { #expect(limit.most > 0, "\(name)") }
        }
    }
}
