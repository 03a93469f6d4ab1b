import Foundation
import Testing

/// The house's rules that keep the architecture true. A rule is a line here or it is none.
///
/// An exception is a comment on the line itself: `// tidy: allow force-unwrap, a constant`. It names the rule and says why.
@Suite("House rules")
struct TidyTests {
    @Test("Each test that docs/security.md names exists")
    func advisories() throws {
        let page = try House.text(of: "docs/security.md")
        let named = page.matches(of: /`(\w+Tests)\.(ossa_\w+)`/).map { (suite: String($0.1), test: String($0.2)) }
        #expect(named.count > 20)
        let sources = try House.sources(below: "Tests")
        for (suite, test) in named {
            let isThere = sources.contains { source in
                source.path.hasSuffix("/\(suite).swift") && source.lines.contains { $0.contains("func \(test)(") }
            }
            #expect(isThere, "there is no \(suite).\(test)")
        }
    }

    /// The patterns that product code must not contain, each with the word for its exception.
    private static var banned: [(name: String, pattern: Regex<Substring>)] {
        [
            ("Date", #/\bDate\(\)/#), ("UUID", #/\bUUID\(\)/#), ("print", #/(?:^|[^\w.])print\(/#),
            // Only `StoredJSON` reads and writes stored values, so that each is declared (docs/releases.md).
            ("JSONDecoder", #/\bJSONDecoder\(/#), ("JSONEncoder", #/\bJSONEncoder\(/#), ("task", #/\bTask(?:\.detached)? \{/#),
            ("try!", #/\btry!/#), ("fatalError", #/\bfatalError\(/#), ("as!", #/\bas! /#), ("force-unwrap", #/(?!try!|as!)\b\w+!(?![=\w])|[)\]]!(?!=)/#),
        ]
    }

    @Test("Product code takes time and randomness from the world, and never crashes on purpose")
    func bannedWords() throws {
        for source in try House.sources(below: "Sources") where source.target != "TestSupport" {
            for (number, line) in source.lines.enumerated() {
                let code = String(line).replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"").replacing(/\/\/.*/, with: "")
                for (name, pattern) in Self.banned where code.contains(pattern) {
                    #expect(line.contains("tidy: allow \(name)"), "\(source.path):\(number + 1) has \(name): \(line)")
                }
            }
        }
    }

    @Test("ossa_2014_024 ossa_2014_002 Signatures and secrets are compared in constant time, never by ==")
    func constantTime() throws {
        // Values of the type Secret may be compared by ==, which takes constant time for them.
        let patterns = [
            #/\b\w*(?:[sS]ignature|[hH]mac|HMAC|[pP]asscode|[vV]erifier)(?:\.\w+)? *(?:==|!=) *(?!nil)/#,
            #/(?:==|!=) *(?:\w+\.)*(?:[sS]ignature|[hH]mac|HMAC|[pP]asscode|[vV]erifier)\b/#,
        ]
        for source in try House.sources(below: "Sources") where source.target != "TestSupport" {
            for (number, line) in source.lines.enumerated() where line.contains(" == ") || line.contains(" != ") {
                // A fast first check: few lines contain any of these words.
                guard ["ignature", "mac", "HMAC", "asscode", "erifier"].contains(where: { line.contains($0) }) else { continue }
                let code = String(line).replacing(/"(?:[^"\\]|\\.)*"/, with: "\"\"").replacing(/\/\/.*/, with: "")
                for pattern in patterns { #expect(!code.contains(pattern), "\(source.path):\(number + 1): \(line)") }
            }
        }
    }

    @Test("No TODO, FIXME or merge conflict is left in the sources")
    func leftovers() throws {
        for source in try House.sources(below: "Sources") + House.sources(below: "Tests") where !source.path.hasSuffix("TidyTests.swift") {
            for (number, line) in source.lines.enumerated() {
                #expect(!line.contains("TODO") && !line.contains("FIXME"), "\(source.path):\(number + 1)")
                #expect(!line.contains(/^(<<<<<<<|>>>>>>>)/), "\(source.path):\(number + 1)")
            }
        }
    }
}
