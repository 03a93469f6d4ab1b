import Foundation
package import Testing

/// Texts that stand in a file beside the tests. `NOVELLA_UPDATE_GOLDENS=1` writes the present ones.
package enum Golden {
    /// Returns the text with a word for each id that is drawn by chance: whatever else is made at a start would
    /// change them.
    private static func plain(_ text: String) -> String {
        text.replacing(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/, with: "UUID")
            .replacing(/\b[0-9a-f]{32,56}\b/, with: "HEX").replacing(/"r-[0-9a-f]{8}"/, with: "\"r-HEX\"")
    }

    /// Compares a text with the file `Goldens/name.txt` in the folder of the test.
    package static func check(
        _ name: String, _ given: String, beside file: String = #filePath, location: SourceLocation = #_sourceLocation
    ) throws {
        let text = plain(given)
        let url = URL(filePath: file).deletingLastPathComponent().appending(path: "Goldens/\(name).txt")
        if ProcessInfo.processInfo.environment["NOVELLA_UPDATE_GOLDENS"] == "1" {
            return try text.write(to: url, atomically: true, encoding: .utf8)
        }
        let kept = try String(contentsOf: url, encoding: .utf8)
        guard kept != text else { return }
        let lines = difference(kept, text).joined(separator: "\n")
        Issue.record("\(name) is not as it was:\n\(lines)", sourceLocation: location)
    }

    /// Returns all lines that differ, each with its number, in the order of their numbers.
    package static func difference(_ old: String, _ new: String) -> [String] {
        func lines(_ text: String) -> [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        let changes = lines(new).difference(from: lines(old)).map { change in
            switch change {
            case .remove(let at, let line, _): (at: at, order: 0, text: "- \(at + 1): \(line)")
            case .insert(let at, let line, _): (at: at, order: 1, text: "+ \(at + 1): \(line)")
            }
        }
        return changes.sorted { ($0.at, $0.order) < ($1.at, $1.order) }.map(\.text)
    }
}
