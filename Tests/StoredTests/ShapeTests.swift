import CloudCore
import Foundation
import TestSupport
import Testing

/// A failure here means that a change would make existing data of clouds unreadable. The message says what to do.
@Suite("Stored shapes") struct ShapeTests {
    private static let isUpdate = ProcessInfo.processInfo.environment["NOVELLA_UPDATE_GOLDENS"] == "1"

    /// The names of all values that are stored now, were stored by a release, or have a golden.
    static let names: [String] = {
        let now = (try? StoredShapes.now.get())?.all.keys.map(\.self) ?? []
        let released = KeptShapes.versions.flatMap { (try? KeptShapes.outlines(of: $0))?.all.keys.map(\.self) ?? [] }
        return Set(now + released + KeptShapes.names).sorted()
    }()

    @Test("Each stored type has an outline under a unique name")
    func outlines() throws {
        let now = try StoredShapes.now.get()
        #expect(now.all.count > 45)
        #expect(Set(StoredShapes.values.map { $0.storedName }).count == StoredShapes.values.count, "two stored values have one name")
    }

    @Test("Each release has outlines of what it has written", arguments: KeptShapes.versions)
    func releases(_ version: String) throws {
        #expect(try !KeptShapes.outlines(of: version).all.isEmpty)
    }

    @Test("Each stored value has the shape that releases have written and that its golden notes", arguments: ShapeTests.names)
    func shape(_ name: String) throws {
        let now = try StoredShapes.now.get()
        for version in KeptShapes.versions {
            let faults = now.faults(of: name, since: try KeptShapes.outlines(of: version))
            for fault in faults { Issue.record("Release \(version) has written \(name) in another shape. \(fault)") }
            if !faults.isEmpty { return }
        }
        try golden(name, now.all[name])
    }

    /// Compares an outline with its golden. A difference harms no release, but it is noted so that a review sees it.
    private func golden(_ name: String, _ outline: StoredOutline?) throws {
        let file = KeptShapes.golden(name)
        let kept = try? String(contentsOf: file, encoding: .utf8)
        let text = outline.map { $0.json.pretty() + "\n" }
        guard kept != text else { return }
        if Self.isUpdate {
            guard let text else { return try FileManager.default.removeItem(at: file) }
            return try text.write(to: file, atomically: true, encoding: .utf8)
        }
        let (old, new) = (kept?.components(separatedBy: "\n") ?? [], text?.components(separatedBy: "\n") ?? [])
        let lines = new.difference(from: old).map { change in
            switch change {
            case .remove(_, let line, _): "- \(line)"
            case .insert(_, let line, _): "+ \(line)"
            }
        }
        Issue.record(
            """
            \(name) has another shape than Tests/Released/shapes/\(name).json. The change is allowed: all that a release has written is \
            read. Note it with `NOVELLA_UPDATE_GOLDENS=1 swift test --filter StoredTests`, and commit the file with the change.
            \(lines.prefix(40).joined(separator: "\n"))
            """)
    }
}
