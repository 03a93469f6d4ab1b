import Foundation

/// The JSON text of a stored value, with a list of where its values are. Nothing is made of a value before it is asked
/// for.
final class StoredDocument {
    /// The kind of a value, by its first byte.
    enum Kind: UInt8 {
        case object, array, string, escapedString, number, yes, no, null
    }

    /// A value in the text. The members of an object follow it, each a string and then a value; so do the elements of
    /// an array.
    struct Entry {
        var kind: Kind
        var start: Int32
        var end: Int32
        /// The number of the entry behind the value and everything in it.
        var next: Int32 = 0
        /// The number of members or elements.
        var count: Int32 = 0
    }

    let entries: [Entry]
    private let bytes: UnsafeMutablePointer<UInt8>
    /// The number of bytes, with the padding for `StoredPaths.Name`.
    private let size: Int

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    init(_ text: some Collection<UInt8>) throws {
        let (count, padding) = (text.count, StoredPaths.Name.padding)
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: count + padding)
        _ = UnsafeMutableBufferPointer(start: bytes, count: count).initialize(from: text)
        (bytes + count).initialize(repeating: 0, count: padding)
        (self.bytes, size) = (bytes, count + padding)
        do { entries = try StoredScanner(bytes, count).entries } catch {
            bytes.deallocate()
            throw error
        }
    }

    deinit { bytes.deallocate() }

    // MARK: Values

    /// Returns the text of a value as it stands in the document, with some bytes on each side. It lives as long as the
    /// document.
    func bytes(_ entry: Entry, with around: Int = 0) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(
            start: bytes + Int(entry.start) - around, count: Int(entry.end - entry.start) + 2 * around)
    }

    /// Returns the name that a string without escapes is.
    func name(_ entry: Entry) -> StoredPaths.Name {
        StoredPaths.Name(
            UnsafeRawBufferPointer(start: bytes, count: size), at: Int(entry.start),
            length: Int(entry.end - entry.start))
    }

    /// Returns whether a string in the text is this one.
    func isString(_ entry: Entry, _ text: UnsafeBufferPointer<UInt8>) -> Bool {
        let length = Int(entry.end - entry.start)
        guard length == text.count else { return false }
        return memcmp(bytes + Int(entry.start), text.baseAddress ?? UnsafePointer(bytes), length) == 0
    }

    func text(_ entry: Entry) throws -> String {
        let part = bytes(entry)
        if entry.kind == .escapedString {
            // Few texts have escapes, and the parser of requests reads these.
            guard case .string(let text)? = try? JSON.parse([0x22] + part + [0x22]) else {
                throw Unreadable(description: "a wrong escape")
            }
            return text
        }
        guard let text = String(validating: part, as: UTF8.self) else { throw Unreadable(description: "no UTF-8") }
        return text
    }

    /// Returns a whole number; nil if the entry is another number or none that fits.
    func integer(_ entry: Entry) -> Int64? {
        var (place, end) = (Int(entry.start), Int(entry.end))
        let isNegative = bytes[place] == UInt8(ascii: "-")
        if isNegative { place += 1 }
        guard place < end, end - place <= 19 else { return nil }
        var value: Int64 = 0
        while place < end {
            let digit = Int64(bytes[place]) - 48
            guard (0...9).contains(digit) else { return nil }
            let (tens, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (next, isTooLargeToo) =
                isNegative ? tens.subtractingReportingOverflow(digit) : tens.addingReportingOverflow(digit)
            guard !isTooLarge, !isTooLargeToo else { return nil }
            value = next
            place += 1
        }
        end = place
        return value
    }

    func number(_ entry: Entry) -> Double? {
        Double(String(decoding: bytes(entry), as: UTF8.self))
    }
}
