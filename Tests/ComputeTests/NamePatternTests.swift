import CloudCore
import Testing

@testable import Compute

@Suite("Patterns of names")
struct NamePatternTests {
    @Test(
        "A pattern finds the names that it should",
        arguments: [
            ("web", "my-web-1", true), ("web", "WEB", false), ("", "any", true), ("^web-[0-9]+$", "web-12", true),
            ("^web-[0-9]+$", "web-x", false), ("a|b", "cab", true), ("w.b", "wxb", true), ("w\\.b", "wxb", false),
            ("web", "", false), ("", "", true),
        ])
    func finds(pattern: String, name: String, isFound: Bool) throws {
        #expect(try NamePattern(pattern).isFound(in: name) == isFound)
    }

    @Test("A letter and the same letter with an accent are two letters")
    func accents() throws {
        #expect(try !NamePattern("e").isFound(in: "\u{e9}"))
        #expect(try NamePattern("\u{e9}").isFound(in: "caf\u{e9}"))
        // Bytes are compared: the letter is found in its decomposed form, where it has a byte of its own.
        #expect(try NamePattern("e").isFound(in: "e\u{301}"))
    }

    @Test(
        "A text that is no pattern is a bad request, and so is one that is too long", arguments: ["(", "[a", "*"])
    func malformed(text: String) {
        #expect { try NamePattern(text) } throws: { ($0 as? CloudError)?.kind == .badRequest }
        let long = String(repeating: "a", count: 100_000)
        #expect { try NamePattern(long) } throws: { ($0 as? CloudError)?.kind == .badRequest }
    }
}
