@testable import CloudCore
import TestSupport
import Testing

@Suite struct LinearPatternTests {
    @Test(
        "A pattern matches these texts",
        arguments: [
            ("web", "my-web-1"), ("", ""), ("", "x"), ("^web", "web-1"), ("-1$", "web-1"), ("^$", ""), ("w.b", "wob"), ("a*b", "b"),
            ("^a+b$", "aaab"), ("^ab?c$", "ac"), ("^(?:web|db)-[0-9]+$", "db-12"), ("^(web|db)-\\d{2}$", "web-01"), ("^a{2,}$", "aaa"),
            ("^a{,2}$", "aa"), ("^a{0}b$", "b"), ("^[^a-c]$", "d"), ("[]x]", "]"), ("^[a-]$", "-"), ("^[\\w.-]+$", "a.b-c_9"), ("\\bweb\\b", "a web b"),
            ("\\Bb", "ab"), ("^\\S+\\s\\S+$", "a b"), ("\\.", "1.2"), ("a\\|b", "a|b"), ("^\\[x\\]$", "[x]"), ("[[:digit:]]", "x1"),
            ("^[[:alpha:]_]+$", "a_b"), ("(?i)^WEB-É", "web-é"), ("(?i)[a-f]9", "B9"), ("a{", "xa{"), ("a{b}", "a{b}"), ("^(a|b|)c$", "c"),
            ("^(?P<n>a)$", "a"), ("^(?<n>a)$", "a"), ("^a+?b*?c??$", "aab"), ("^.$", "é"), ("^\\Ax\\Z$", "x"), ("^(a*)*$", "aaa"), ("(|a)+$", "aa"),
            ("^10\\.0\\.0\\.", "10.0.0.7"), ("^[\\d:]+$", "1:2"), ("\\D", "1a"), ("^[^\\s]+$", "ab"), ("^\\_$", "_"),
        ])
    func found(pattern: String, text: String) throws {
        #expect(try LinearPattern(pattern).isFound(in: text))
        #expect(try LinearPattern(pattern).isFoundByTurns(in: text))
    }

    @Test(
        "A pattern does not match these texts",
        arguments: [
            ("web", "we"), ("^web", "my-web"), ("-1$", "web-12"), ("^$", "x"), ("w.b", "wb"), ("^a+b$", "b"), ("^ab?c$", "abbc"),
            ("^(web|db)-\\d{2}$", "web-001"), ("^a{2,3}$", "aaaa"), ("^a{2,}$", "a"), ("^[^a-c]$", "b"), ("\\bweb\\b", "aweb"), ("\\Bb", "b"),
            ("\\.", "12"), ("[[:digit:]]", "x"), ("web", "WEB"), ("^.$", "\n"), ("^a{0}$", "a"), ("\\W", "a_9"),
        ])
    func notFound(pattern: String, text: String) throws {
        #expect(try !LinearPattern(pattern).isFound(in: text))
        #expect(try !LinearPattern(pattern).isFoundByTurns(in: text))
    }

    @Test(
        "An invalid or unsupported pattern is refused",
        arguments: [
            "(", ")", "a)", "[", "[a", "[]", "*", "+a", "?", "a**", "a+*", "a{2}{3}", "a{3,2}", "\\", "\\1", "(a)\\1", "(?=a)", "(?!a)",
            "(?<=a)", "(?<!a)", "(?>a)", "\\p{L}", "[z-a]", "[a-\\d]", "[[:nothing:]]", "a{513}", "((a{50}){50}){50}", "(((){500}){500}){500}",
            "^*", "(?P<a", "a++", "(?i", "(a(?i)b)",
        ])
    func invalid(pattern: String) {
        #expect(throws: LinearPattern.Flaw.self) { try LinearPattern(pattern) }
    }

    @Test("The length, the nesting and the steps of a pattern are limited")
    func bounds() throws {
        _ = try LinearPattern(String(repeating: "a", count: 255))
        #expect(throws: LinearPattern.Flaw.self) { try LinearPattern(String(repeating: "a", count: 256)) }
        #expect(throws: LinearPattern.Flaw.self) { try LinearPattern(String(repeating: "(", count: 51) + String(repeating: ")", count: 51)) }
        #expect(try LinearPattern("^a{500}$").isFound(in: String(repeating: "a", count: 500)))
        #expect(try !LinearPattern("a").isFound(in: String(repeating: "a", count: LinearPattern.longestText + 1)))
    }

    @Test(
        "Patterns that make a backtracking engine run forever are answered at once", .timeLimit(.minutes(15)),
        arguments: ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "^(a*)*$", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)b$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a?){100}a{100}$"])
    func evil(pattern: String) throws {
        let wanted = try LinearPattern(pattern)
        #expect(!wanted.isFound(in: String(repeating: "a", count: 2000) + "!"))
    }

    @Test("Random patterns match exactly where the standard library's Regex does")
    func same() throws {
        var chance = SplitMix64(seed: 7)
        func any(_ words: [String]) -> String { words.randomElement(using: &chance) ?? "" }
        func pattern(_ depth: Int) -> String {
            (0..<Int.random(in: 1...3, using: &chance)).map { _ in
                let piece =
                    depth > 0 && Bool.random(using: &chance)
                    ? "(" + pattern(depth - 1) + any(["", "|" + pattern(depth - 1)]) + ")" : any(["a", "b", ".", "[ab]", "[^a]", "\\d", "1", "\\w"])
                return piece + any(["", "", "", "*", "+", "?", "{2}", "{0,2}", "{1,}"])
            }.joined()
        }
        var hits = 0
        for _ in 0..<300 {
            let text = any(["", "^"]) + pattern(2) + any(["", "$"])
            guard text.utf8.count <= LinearPattern.longestPattern else { continue }
            let (wanted, known) = (try LinearPattern(text), try Regex(text))
            for _ in 0..<4 {
                let sample = (0..<Int.random(in: 0...6, using: &chance)).map { _ in any(["a", "b", "1", "-"]) }.joined()
                let isFound = sample.firstMatch(of: known) != nil
                #expect(wanted.isFound(in: sample) == isFound, "'\(text)' in '\(sample)'")
                #expect(wanted.isFoundByTurns(in: sample) == isFound, "'\(text)' in '\(sample)'")
                hits += isFound ? 1 : 0
            }
        }
        #expect(hits > 100)
    }
}
