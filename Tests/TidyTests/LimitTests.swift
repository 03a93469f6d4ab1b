import Testing

/// Bounds on callers stand in one table (`Limits`), which `docs/limits.md` shows.
///
/// A constant of another kind, such as the size of a cache, says so on its line: `// tidy: allow bound, a cache's`.
@Suite("Bounds on callers")
struct LimitTests {
    private static let folders = ["HTTPKit/Calls", "HTTPKit/Bodies", "HTTPKit/Routing", "Resources"] + House.services

    /// Matches a constant that is named like a bound and has a number of its own.
    private static func isBound(_ line: Substring) -> Bool {
        line.contains(/static (?:let|var) (?:most|longest)\w*(?:: \w+\??)? (?:= |\{ )[0-9]/)
    }

    @Test("A bound on callers is a line of the table", arguments: LimitTests.folders)
    func bounds(folder: String) throws {
        for source in try House.sources(below: "Sources/\(folder)") {
            for (number, line) in source.lines.enumerated() where Self.isBound(line) {
                #expect(line.contains("tidy: allow bound,"), "\(source.path):\(number + 1): \(line)")
            }
        }
    }

    @Test("A bound is found in every form")
    func forms() {
        for line in [
            "    static let most = 5", "    private static let mostItems: Int64 = 1 << 20",
            "    static var mostInPage: Int? { 25 }", "    static let longest = 4096",
        ] { #expect(Self.isBound(line[...]), "\(line)") }
        for line in ["    static let most = Limits.list.page.most", "    let most = 5", "    static let almost = 5"] {
            #expect(!Self.isBound(line[...]), "\(line)")
        }
    }
}
