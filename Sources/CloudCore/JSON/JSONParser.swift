/// The reason why a text is not JSON, or is JSON that is not accepted here.
package struct JSONSyntaxError: Error, Sendable, Equatable, CustomStringConvertible {
    package var reason: String
    /// The distance from the beginning of the text, in bytes.
    package var offset: Int

    package var description: String { "\(reason) at byte \(offset)" }
}

extension JSON {
    /// Reads strict JSON (RFC 8259): one value in valid UTF-8, without duplicate names in an object, comments or
    /// trailing commas.
    ///
    /// - Parameters:
    ///   - maximumDepth: how deep arrays and objects may be nested. Deeper text is refused early, before it costs much.
    ///   - mostValues: the most values in total, counting those inside arrays and objects.
    package static func parse(
        _ bytes: some Collection<UInt8>, maximumDepth: Int = Limits.request.bodyDepth.most, mostValues: Int = .max
    ) throws(JSONSyntaxError) -> JSON {
        let fast = bytes.withContiguousStorageIfAvailable { buffer in
            Result { () throws(JSONSyntaxError) -> JSON in try parse(buffer: buffer, maximumDepth, mostValues) }
        }
        if let fast { return try fast.get() }
        let copy = ContiguousArray(bytes)
        return try copy.withUnsafeBufferPointer { buffer in
            Result { () throws(JSONSyntaxError) -> JSON in try parse(buffer: buffer, maximumDepth, mostValues) }
        }.get()
    }

    package static func parse(
        _ text: String, maximumDepth: Int = Limits.request.bodyDepth.most, mostValues: Int = .max
    ) throws(JSONSyntaxError) -> JSON {
        try parse(text.utf8, maximumDepth: maximumDepth, mostValues: mostValues)
    }

    private static func parse(buffer: UnsafeBufferPointer<UInt8>, _ maximumDepth: Int, _ mostValues: Int) throws(JSONSyntaxError) -> JSON {
        var parser = JSONParser(input: buffer, maximumDepth: maximumDepth, mostValues: mostValues)
        let value = try parser.value(depth: 0)
        parser.skipSpace()
        guard parser.at == buffer.count else { throw parser.error("unexpected text after the value") }
        return value
    }
}

/// A recursive-descent parser of one buffer. Its depth is bounded, and so is its use of the stack.
private struct JSONParser {
    let input: UnsafeBufferPointer<UInt8>
    let maximumDepth: Int
    let mostValues: Int
    var at = 0
    private var values = 0

    init(input: UnsafeBufferPointer<UInt8>, maximumDepth: Int, mostValues: Int) {
        self.input = input
        self.maximumDepth = maximumDepth
        self.mostValues = mostValues
    }

    func error(_ reason: String) -> JSONSyntaxError { JSONSyntaxError(reason: reason, offset: at) }

    var next: UInt8? { at < input.count ? input[at] : nil }

    mutating func skipSpace() {
        while at < input.count, input[at] == 0x20 || input[at] == 0x0a || input[at] == 0x0d || input[at] == 0x09 { at += 1 }
    }

    mutating func value(depth: Int) throws(JSONSyntaxError) -> JSON {
        skipSpace()
        values += 1
        guard values <= mostValues else { throw error("more than \(mostValues) values") }
        switch next {
        case nil: throw error("unexpected end")
        case UInt8(ascii: "{"): return .object(try object(depth: depth + 1))
        case UInt8(ascii: "["): return .array(try array(depth: depth + 1))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws(JSONSyntaxError) -> JSON {
        let matches = word.withUTF8Buffer { expected in
            input.count - at >= expected.count && zip(input[at...], expected).allSatisfy { $0 == $1 }
        }
        guard matches else { throw error("unexpected character") }
        at += word.utf8CodeUnitCount
        return value
    }

    private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONObject {
        guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth)") }
        at += 1
        var object = JSONObject()
        skipSpace()
        if next == UInt8(ascii: "}") {
            at += 1
            return object
        }
        while true {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw error("expected a member's name") }
            let start = at
            let key = try string()
            guard object[key] == nil else { throw JSONSyntaxError(reason: "the name '\(key.prefix(64))' twice in one object", offset: start) }
            skipSpace()
            guard next == UInt8(ascii: ":") else { throw error("expected ':'") }
            at += 1
            object[key] = try value(depth: depth)
            skipSpace()
            switch next {
            case UInt8(ascii: ","): at += 1
            case UInt8(ascii: "}"):
                at += 1
                return object
            default: throw error("expected ',' or '}'")
            }
        }
    }

    private mutating func array(depth: Int) throws(JSONSyntaxError) -> [JSON] {
        guard depth <= maximumDepth else { throw error("nested deeper than \(maximumDepth)") }
        at += 1
        var elements: [JSON] = []
        skipSpace()
        if next == UInt8(ascii: "]") {
            at += 1
            return elements
        }
        while true {
            elements.append(try value(depth: depth))
            skipSpace()
            switch next {
            case UInt8(ascii: ","): at += 1
            case UInt8(ascii: "]"):
                at += 1
                return elements
            default: throw error("expected ',' or ']'")
            }
        }
    }

    private mutating func string() throws(JSONSyntaxError) -> String {
        at += 1
        let start = at
        while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { at += 1 }
        if next == UInt8(ascii: "\"") {
            let text = try validated(input[start..<at])
            at += 1
            return text
        }
        var out = Array(input[start..<at])
        while let byte = next {
            switch byte {
            case UInt8(ascii: "\""):
                let text = try validated(out[...])
                at += 1
                return text
            case UInt8(ascii: "\\"):
                at += 1
                try escape(into: &out)
            case 0..<0x20: throw error("a control character in a string")
            default:
                out.append(byte)
                at += 1
            }
        }
        throw error("unexpected end of a string")
    }

    private func validated(_ bytes: some Collection<UInt8>) throws(JSONSyntaxError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw error("invalid UTF-8") }
        return text
    }

    private mutating func escape(into out: inout [UInt8]) throws(JSONSyntaxError) {
        guard let letter = next else { throw error("unexpected end of a string") }
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0c)
        case UInt8(ascii: "n"): out.append(0x0a)
        case UInt8(ascii: "r"): out.append(0x0d)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"): out.append(contentsOf: Array(String(Character(try scalar())).utf8))
        default: throw error("unknown escape")
        }
    }

    private mutating func scalar() throws(JSONSyntaxError) -> Unicode.Scalar {
        let first = try hex4()
        if (0xd800..<0xdc00).contains(first) {
            guard next == UInt8(ascii: "\\") else { throw error("half a surrogate pair") }
            at += 1
            guard next == UInt8(ascii: "u") else { throw error("half a surrogate pair") }
            at += 1
            let second = try hex4()
            guard (0xdc00..<0xe000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
            else { throw error("half a surrogate pair") }
            return scalar
        }
        guard let scalar = Unicode.Scalar(first) else { throw error("half a surrogate pair") }
        return scalar
    }

    private mutating func hex4() throws(JSONSyntaxError) -> UInt32 {
        guard input.count - at >= 4, let bytes = Hex.bytes(String(decoding: input[at..<at + 4], as: UTF8.self)) else {
            throw error("expected four hexadecimal digits")
        }
        at += 4
        return UInt32(bytes[0]) << 8 | UInt32(bytes[1])
    }

    private mutating func number() throws(JSONSyntaxError) -> JSON {
        let start = at
        if next == UInt8(ascii: "-") { at += 1 }
        guard let first = next, isDigit(first) else { throw error("unexpected character") }
        at += 1
        if first != UInt8(ascii: "0") { digits() }
        var isInteger = true
        if next == UInt8(ascii: ".") {
            isInteger = false
            at += 1
            guard digits() > 0 else { throw error("expected a digit") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            isInteger = false
            at += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { at += 1 }
            guard digits() > 0 else { throw error("expected a digit") }
        }
        let longest = Limits.request.numberLength.most
        guard at - start <= longest else { throw error("a number of more than \(longest) characters") }
        let text = String(decoding: input[start..<at], as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw error("a number out of range") }
        return .number(value)
    }

    @discardableResult
    private mutating func digits() -> Int {
        let start = at
        while let byte = next, isDigit(byte) { at += 1 }
        return at - start
    }

    private func isDigit(_ byte: UInt8) -> Bool { byte >= 48 && byte <= 57 }
}
