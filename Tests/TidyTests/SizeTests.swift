import Foundation
import Testing

/// Rules that some older files do not keep yet. `Exceptions/` lists these files, each with a number that may only
/// shrink.
///
/// `NOVELLA_UPDATE_TIDY=1 swift test --filter SizeTests` lowers the numbers to what is needed. It never raises one.
@Suite("Sizes and names")
struct SizeTests {
    private static let mostInLine = 120
    private static let mostParameters = 6

    @Test("Lines have at most 120 characters")
    func lines() throws {
        var found: [String: Int] = [:]
        for source in try House.sources(below: "Sources") + House.sources(below: "Tests") {
            let long = source.lines.count(where: { $0.utf8.count > Self.mostInLine && $0.count > Self.mostInLine })
            if long > 0 { found[source.path] = long }
        }
        try Exceptions(named: "lines").check(found)
    }

    @Test("Functions have at most six parameters")
    func parameters() throws {
        var found: [String: Int] = [:]
        for source in try House.sources(below: "Sources") {
            let wide = Signatures(of: source.text).parameters.count(where: { $0 > Self.mostParameters })
            if wide > 0 { found[source.path] = wide }
        }
        try Exceptions(named: "parameters").check(found)
    }

    @Test("A file is named after a type that it declares or extends")
    func names() throws {
        var found: [String: Int] = [:]
        for source in try House.sources(below: "Sources") where source.name != "main" {
            let name = source.name.split(separator: "+").first ?? ""
            let declaration = /\b(?:struct|class|enum|actor|protocol|typealias|extension)\s+(?:\w+\.)*(\w+)/
            let isThere = source.lines.contains { line in
                line.contains(name) && line.matches(of: declaration).contains { $0.1 == name }
            }
            if !isThere { found[source.path] = 1 }
        }
        try Exceptions(named: "names").check(found)
    }

    @Test("Parameters are counted correctly, and other commas are not")
    func counting() {
        let signatures: [(text: String, count: Int)] = [
            ("func a()", 0), ("init(a: Int)", 1),
            ("    package static func a<B: C>(_ b: B, c: (Int, Int), d: [A: B]) {", 3),
            ("private init?(\n    a: Pair<Int, Int>,\n    b: (Int, Int) -> Int = { a, b in a }\n)", 2),
            ("static func == (a: A, b: A)", 2),
            ("call(a, b)\nlet init = f(a, b)", -1),
        ]
        for (text, count) in signatures {
            #expect(Signatures(of: text).parameters == (count < 0 ? [] : [count]), "\(text)")
        }
    }
}

/// The exceptions of a rule: paths, each with the number of places that may break the rule.
struct Exceptions {
    private let url: URL
    private let name: String
    private let allowed: [String: Int]

    init(named name: String) throws {
        self.name = name
        url = House.root.appending(path: "Tests/TidyTests/Exceptions/\(name).txt")
        allowed = Dictionary(
            try String(contentsOf: url, encoding: .utf8).split(separator: "\n").map { line in
                let parts = line.split(separator: " ")
                return (String(parts[1]), Int(parts[0]) ?? 0)
            }
        ) { first, _ in first }
    }

    func check(_ found: [String: Int]) throws {
        for (path, count) in found.sorted(by: { $0.key < $1.key }) where count > allowed[path] ?? 0 {
            Issue.record("\(path): \(count) times against the rule of \(name), \(allowed[path] ?? 0) allowed")
        }
        if ProcessInfo.processInfo.environment["NOVELLA_UPDATE_TIDY"] == "1" { return try lower(to: found) }
        for (path, count) in allowed.sorted(by: { $0.key < $1.key }) where count > found[path] ?? 0 {
            Issue.record(
                "\(path): \(found[path] ?? 0) times against the rule of \(name), \(count) allowed: lower the list")
        }
    }

    private func lower(to found: [String: Int]) throws {
        let kept = allowed.compactMap { path, count in found[path].map { (path: path, count: min($0, count)) } }
        let lines = kept.sorted { $0.path < $1.path }.map { "\($0.count) \($0.path)\n" }
        try lines.joined().write(to: url, atomically: true, encoding: .utf8)
    }
}

/// The declarations of functions and initializers in a source.
struct Signatures {
    /// The number of parameters of each declaration.
    let parameters: [Int]

    init(of source: String) {
        let words = /^[ \t]*(?:@\w+ |[a-z]+(?:\([a-z]+\))? )*(?:func [^(\n]+|init[?]?(?:<[^(\n]*>)?)\(/
            .anchorsMatchLineEndings()
        parameters = source.matches(of: words).map { Self.count(source[$0.range.upperBound...]) }
    }

    /// Counts the parameters between the opening bracket and the one that closes the list.
    private static func count(_ rest: Substring) -> Int {
        var depth = 0
        var commas = 0
        var isEmpty = true
        var isText = false
        var last: UInt8 = 0
        for byte in rest.utf8 {
            defer { last = byte }
            if byte == UInt8(ascii: "\"") { isText.toggle() }
            if isText { continue }
            switch byte {
            case UInt8(ascii: "("), UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: "<"): depth += 1
            case UInt8(ascii: ")") where depth == 0: return isEmpty ? 0 : commas + 1
            case UInt8(ascii: ">") where last == UInt8(ascii: "-"): break
            case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ">"): depth -= 1
            case UInt8(ascii: ","): if depth == 0 { commas += 1 }
            case UInt8(ascii: " "), UInt8(ascii: "\n"): continue
            default: break
            }
            isEmpty = false
        }
        return 0
    }
}
