/// The reader of a document's text.
struct StoredScanner {
    let bytes: UnsafePointer<UInt8>
    let count: Int
    private(set) var entries: [StoredDocument.Entry] = []
    private var at = 0

    private static let deepest = 512  // tidy: allow bound, of nesting

    init(_ bytes: UnsafePointer<UInt8>, _ count: Int) throws {
        (self.bytes, self.count) = (bytes, count)
        // The text of most values has an entry in each dozen bytes.
        entries.reserveCapacity(count / 12 + 4)
        try value(depth: 0)
        skipSpace()
        guard at == count else { throw unreadable("text behind the value") }
    }

    private func unreadable(_ what: String) -> StoredDocument.Unreadable { .init(description: "\(what) at byte \(at)") }

    private var byte: UInt8 { at < count ? bytes[at] : 0 }

    private mutating func skipSpace() {
        while at < count, bytes[at] == 0x20 || bytes[at] == 0x0a || bytes[at] == 0x0d || bytes[at] == 0x09 { at += 1 }
    }

    private mutating func value(depth: Int) throws {
        guard depth < Self.deepest else { throw unreadable("too many values inside each other") }
        skipSpace()
        switch byte {
        case UInt8(ascii: "{"): try list(.object, UInt8(ascii: "}"), depth: depth)
        case UInt8(ascii: "["): try list(.array, UInt8(ascii: "]"), depth: depth)
        case UInt8(ascii: "\""): try string()
        case UInt8(ascii: "t"): try word("true", .yes)
        case UInt8(ascii: "f"): try word("false", .no)
        case UInt8(ascii: "n"): try word("null", .null)
        default: try number()
        }
    }

    /// Reads a member's name and its colon.
    private mutating func name() throws {
        skipSpace()
        guard byte == UInt8(ascii: "\"") else { throw unreadable("no name of a member") }
        try string()
        skipSpace()
        guard byte == UInt8(ascii: ":") else { throw unreadable("no colon") }
        at += 1
    }

    private mutating func list(_ kind: StoredDocument.Kind, _ close: UInt8, depth: Int) throws {
        let own = entries.count
        entries.append(StoredDocument.Entry(kind: kind, start: Int32(at), end: 0))
        at += 1
        skipSpace()
        var found: Int32 = 0
        while byte != close || found > 0 {
            if kind == .object { try name() }
            try value(depth: depth + 1)
            found += 1
            skipSpace()
            if byte == close { break }
            guard byte == UInt8(ascii: ",") else { throw unreadable("no comma") }
            at += 1
        }
        at += 1
        (entries[own].end, entries[own].next, entries[own].count) = (Int32(at), Int32(entries.count), found)
    }

    /// Adds a value that has no other inside.
    private mutating func add(_ kind: StoredDocument.Kind, from start: Int, to end: Int) {
        entries.append(
            StoredDocument.Entry(kind: kind, start: Int32(start), end: Int32(end), next: Int32(entries.count + 1)))
    }

    private mutating func string() throws {
        at += 1
        let start = at
        var kind = StoredDocument.Kind.string
        while true {
            at += JSONBytes.plain(UnsafeRawBufferPointer(start: bytes + at, count: count - at))
            guard at < count, bytes[at] == UInt8(ascii: "\\") else { break }
            kind = .escapedString
            at += 1
            guard at < count, bytes[at] >= 0x20 else { throw unreadable("a control character in a string") }
            at += 1
        }
        guard at < count else { throw unreadable("a string without an end") }
        guard bytes[at] == UInt8(ascii: "\"") else { throw unreadable("a control character in a string") }
        add(kind, from: start, to: at)
        at += 1
    }

    private mutating func word(_ word: StaticString, _ kind: StoredDocument.Kind) throws {
        let end = at + word.utf8CodeUnitCount
        guard end <= count, (at..<end).allSatisfy({ bytes[$0] == word.utf8Start[$0 - at] }) else {
            throw unreadable("an unknown word")
        }
        add(kind, from: at, to: end)
        at = end
    }

    private mutating func number() throws {
        let start = at
        while at < count, Self.isOfNumber(bytes[at]) { at += 1 }
        guard at > start else { throw unreadable("no value") }
        add(.number, from: start, to: at)
    }

    private static func isOfNumber(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"), UInt8(ascii: "."),
            UInt8(ascii: "e"),
            UInt8(ascii: "E"):
            true
        default: false
        }
    }
}
