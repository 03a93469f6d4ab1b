import CloudCore
import SQL
import TestSupport
import Testing

@testable import Resources

/// The memory that `Place` relies on.
@Suite("Places of fields")
struct PlaceTests {
    @Test("An id lies in memory as its text does, also where it may be missing")
    func ids() {
        func isLike<One, Other>(_: One.Type, _: Other.Type) -> Bool {
            MemoryLayout<One>.size == MemoryLayout<Other>.size && MemoryLayout<One>.stride == MemoryLayout<Other>.stride
                && MemoryLayout<One>.alignment == MemoryLayout<Other>.alignment
        }
        #expect(isLike(ID<Widget>.self, String.self))
        #expect(isLike(ID<Widget>?.self, String?.self))
        #expect(MemoryLayout<ID<Widget>>.offset(of: \.text) == 0)
    }

    @Test(
        "An id is read and written as its text, short or long, or missing",
        arguments: ["", "short", "x-0123456789-0123456789-0123456789"])
    func access(_ text: String) {
        var id = ID<Widget>("before")
        let isTaken = withUnsafeMutablePointer(to: &id) { ID<Widget>.access.take($0, .text(text)) }
        #expect(isTaken && id == ID(text))
        #expect(withUnsafePointer(to: id) { ID<Widget>.access.json($0) } == .string(text))
        var other: ID<Widget>?
        #expect(withUnsafePointer(to: other) { ID<Widget>?.access.sql($0) } == .null)
        let isTakenToo = withUnsafeMutablePointer(to: &other) { ID<Widget>?.access.take($0, .text(text)) }
        #expect(isTakenToo && other == ID(text))
        let isNull = withUnsafeMutablePointer(to: &other) { ID<Widget>?.access.take($0, .null) }
        #expect(isNull && other == nil)
    }

    @Test("Each stored field of a resource is reached directly, and no two fields have one place")
    func offsets() throws {
        let paths: [PartialKeyPath<Widget>] = [
            \.id, \.name, \.owner, \.isEnabled, \.size, \.note, \.madeAt, \.options,
        ]
        let offsets = try paths.map { try #require(MemoryLayout<Widget>.offset(of: $0)) }
        #expect(Set(offsets).count == paths.count)
        #expect(Place(\Widget.size).offset == offsets[4] && Place(\Widget.note).offset == offsets[5])
    }
}
