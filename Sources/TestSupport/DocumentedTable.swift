import Foundation
import Testing

/// A table of a document that follows from the code. `NOVELLA_UPDATE_GOLDENS=1` writes the document's table anew.
package struct DocumentedTable {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The document's path from the repository's root.
    package let path: String
    /// The line under which the table stands.
    package let heading: String

    package init(path: String, heading: String) {
        self.path = path
        self.heading = heading
    }

    package static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    package static func paths(below folder: String) -> [String] {
        let files = FileManager.default.enumerator(atPath: root.appending(path: folder).path)?.allObjects ?? []
        return files.compactMap { $0 as? String }.sorted()
    }

    /// Compares the rows of the table, without its head.
    package func check(_ rows: [[String]]) throws {
        let expected = rows.map { "| \($0.joined(separator: " | ")) |" }
        var lines = try Self.text(of: path).components(separatedBy: "\n")
        let start = try #require(lines.firstIndex(of: heading), "\(path) has no \(heading)")
        let rule = try #require(lines[start...].firstIndex { $0.hasPrefix("|---") }, "no table under \(heading)")
        let end = lines[(rule + 1)...].firstIndex { !$0.hasPrefix("|") } ?? lines.endIndex
        if ProcessInfo.processInfo.environment["NOVELLA_UPDATE_GOLDENS"] == "1" {
            lines.replaceSubrange((rule + 1)..<end, with: expected)
            return try lines.joined(separator: "\n").write(
                to: Self.root.appending(path: path), atomically: true, encoding: .utf8)
        }
        let present = Array(lines[(rule + 1)..<end])
        #expect(present == expected, "\(path), \(heading): NOVELLA_UPDATE_GOLDENS=1 writes the table anew")
    }
}
