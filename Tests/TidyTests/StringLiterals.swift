/// The string literals of a Swift source: their text without interpolations, `\\( )`.
///
/// This reader knows only the parts of the language that our sources use: comments, escapes, interpolations, multiline
/// literals and raw ones with one `#`. It takes a quote in a regex literal for the beginning of a text, so our regex
/// literals write a quote in another way.
struct StringLiterals {
    struct Literal {
        /// The line on which the literal begins, counted from 1.
        let line: Int
        let text: String
    }

    private(set) var all: [Literal] = []
    private let bytes: [UInt8]
    private var at = 0
    private var line = 1

    init(of source: String) {
        bytes = Array(source.utf8)
        readCode(until: nil)
    }

    // MARK: Reading

    private func has(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { part in
            at + part.count <= bytes.count && bytes[at..<at + part.count].elementsEqual(part)
        }
    }

    private mutating func step(_ count: Int = 1) {
        for _ in 0..<count where at < bytes.count {
            if bytes[at] == UInt8(ascii: "\n") { line += 1 }
            at += 1
        }
    }

    /// Reads code up to the end, or up to the bracket that closes an interpolation.
    private mutating func readCode(until closing: UInt8?) {
        var depth = 0
        while at < bytes.count {
            if has("//") {
                while at < bytes.count, !has("\n") { step() }
            } else if has("/*") {
                while at < bytes.count, !has("*/") { step() }
                step(2)
            } else if has("#\"") {
                readLiteral("\"#", opening: 2, isRaw: true)
            } else if has("\"\"\"") {
                readLiteral("\"\"\"", opening: 3, isRaw: false)
            } else if has("\"") {
                readLiteral("\"", opening: 1, isRaw: false)
            } else {
                if has("(") { depth += 1 }
                if has(")"), closing != nil {
                    if depth == 0 { return step() }
                    depth -= 1
                }
                step()
            }
        }
    }

    private mutating func readLiteral(_ end: StaticString, opening: Int, isRaw: Bool) {
        let begin = line
        var text: [UInt8] = []
        step(opening)
        // The end of a line ends every literal except multiline ones, so text that was mistaken for a literal spoils
        // only its line.
        while at < bytes.count, !has(end), opening == 3 || !has("\n") {
            if !isRaw, has("\\(") {
                step(2)
                readCode(until: UInt8(ascii: ")"))
            } else {
                let width = !isRaw && has("\\") ? 2 : 1
                text += bytes[at..<min(at + width, bytes.count)]
                step(width)
            }
        }
        if has(end) { step(end.utf8CodeUnitCount) }
        all.append(Literal(line: begin, text: String(decoding: text, as: UTF8.self)))
    }
}
