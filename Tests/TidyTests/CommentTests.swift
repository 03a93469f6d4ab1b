import Foundation
import Testing

/// The rules of plain English that a program can check.
@Suite("Comments")
struct CommentTests {
    private static let refused = ["Of ", "Who ", "What "]

    @Test("No sentence of a comment begins with Of, Who or What")
    func beginnings() throws {
        for source in try House.sources(below: "Sources") + House.sources(below: "Tests") {
            #expect(Self.count(in: source.lines) == 0, "\(source.path)")
        }
    }

    @Test("A sentence may begin in the middle of a line; a line may begin in the middle of a sentence")
    func counting() {
        let some: [Substring] = ["/// Of a card.", "let a = 1  // Who knows", "// It ends here. What is left is zero."]
        #expect(Self.count(in: some) == 2)
        #expect(Self.count(in: ["/// The name of the one", "/// Who is not a sentence here."]) == 0)
        #expect(Self.count(in: ["/// It ends.", "/// Who begins?", "///", "/// - Parameter a: What it is."]) == 2)
    }

    /// Returns how many sentences begin with a refused word, in comments that have lines of their own.
    private static func count(in lines: [Substring]) -> Int {
        var count = 0
        var isAtBeginning = true
        for line in lines {
            let line = line.drop { $0 == " " }
            guard line.hasPrefix("//") else {
                isAtBeginning = true
                continue
            }
            var text = line.drop { $0 == "/" }.drop { $0 == " " }
            if text.hasPrefix("- "), let colon = text.firstIndex(of: ":") {
                text = text[text.index(after: colon)...].drop { $0 == " " }
                isAtBeginning = true
            }
            if isAtBeginning, refused.contains(where: text.hasPrefix) { count += 1 }
            for word in refused { count += text.ranges(of: ". " + word).count }
            isAtBeginning = text.last.map { ".:?!".contains($0) } ?? true
        }
        return count
    }
}
