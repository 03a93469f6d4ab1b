import Foundation
import Testing

/// Checks of the documents against the repository.
///
/// An example is a real file: a fence with a path, as `swift Sources/Compute/Workflows/CreateServer.swift`, is compared
/// with that file. With the word `part` after the path, the block must be consecutive lines of the file.
@Suite("Documents")
struct DocumentTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// A fenced block that names a file.
    struct Example: Equatable, CustomTestStringConvertible {
        var document: String
        /// The line number of the fence.
        var line: Int
        var path: String
        var isPart: Bool
        var lines: [String]

        var testDescription: String { "\(document):\(line)" }

        /// Returns whether the block equals the file, or is a part of it.
        func isTrue(of file: String) -> Bool {
            var all = file.components(separatedBy: "\n")
            if all.last == "" { all.removeLast() }
            guard isPart else { return lines == all }
            return !lines.isEmpty && all.indices.contains { all[$0...].starts(with: lines) }
        }
    }

    /// Returns the blocks of a document that name a file.
    static func examples(in text: String, of document: String) -> [Example] {
        var found: [Example] = []
        var open: Example?
        var isFenced = false
        for (number, line) in text.components(separatedBy: "\n").enumerated() {
            guard line.hasPrefix("```") else {
                open?.lines.append(line)
                continue
            }
            if isFenced {
                if let example = open { found.append(example) }
                (isFenced, open) = (false, nil)
                continue
            }
            isFenced = true
            let words = line.split(separator: " ").map(String.init)
            if words.count > 1 {
                open = Example(document: document, line: number + 1, path: words[1], isPart: words.dropFirst(2).contains("part"), lines: [])
            }
        }
        return found
    }

    /// The Markdown files of the repository, from its root.
    private static let documents: [String] = {
        let folders = ["docs", "Sources", "Tests"].map { root.appending(path: $0) }
        let below = folders.flatMap { folder in
            FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
        }
        let files = below.filter { $0.pathExtension == "md" }.map { String($0.path.dropFirst(root.path.count + 1)) }
        return (["README.md"] + files).sorted()
    }()

    private static func examples() throws -> [Example] {
        try documents.flatMap { path in
            examples(in: try String(contentsOf: root.appending(path: path), encoding: .utf8), of: path)
        }
    }

    @Test("An example equals the file that it names")
    func examplesAreFiles() throws {
        let examples = try Self.examples()
        #expect(!examples.isEmpty)
        for example in examples {
            let file = try? String(contentsOf: Self.root.appending(path: example.path), encoding: .utf8)
            guard let file else {
                Issue.record("\(example.testDescription): there is no \(example.path)")
                continue
            }
            #expect(example.isTrue(of: file), "\(example.testDescription) is not what \(example.path) says: print it anew")
        }
    }

    @Test("A block that differs from its file is found, and so is a part that is not in it")
    func differences() {
        let text = "# A\n```swift a.swift\none\ntwo\n```\n```swift a.swift part\ntwo\n```\n```sh\nls\n```\n"
        let examples = Self.examples(in: text, of: "a.md")
        #expect(examples.map(\.line) == [2, 6])
        #expect(examples.map { $0.isTrue(of: "one\ntwo\n") } == [true, true])
        #expect(examples.map { $0.isTrue(of: "one\ntwo\nthree\n") } == [false, true])
        #expect(examples.map { $0.isTrue(of: "one\nthree\n") } == [false, false])
    }
}
