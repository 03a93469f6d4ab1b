/// The bytes that a `JSONWriter` has written, in memory that it alone has. An array would check at each piece whether
/// somebody else holds it; most pieces are shorter than that check.
struct JSONBuffer: ~Copyable {
    private var start: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    private(set) var count = 0

    init(capacity: Int) {
        self.capacity = max(capacity, 1)
        start = .allocate(capacity: self.capacity)
    }

    deinit { start.deallocate() }

    /// The bytes so far; valid until the next one is written.
    var bytes: UnsafeBufferPointer<UInt8> { UnsafeBufferPointer(start: start, count: count) }

    mutating func put(_ byte: UInt8) {
        room(1).initialize(to: byte)
        count += 1
    }

    mutating func put(_ text: UnsafeBufferPointer<UInt8>) {
        guard let first = text.baseAddress else { return }
        room(text.count).initialize(from: first, count: text.count)
        count += text.count
    }

    mutating func put(_ text: StaticString) { text.withUTF8Buffer { put($0) } }

    /// Writes `"name":`, after a comma unless it is the first of its object.
    mutating func put(name: StaticString, isFirst: Bool) {
        name.withUTF8Buffer { name in
            guard let first = name.baseAddress else { return }
            var at = room(name.count + 4)
            if !isFirst {
                at.initialize(to: UInt8(ascii: ","))
                at += 1
            }
            at.initialize(to: UInt8(ascii: "\""))
            (at + 1).initialize(from: first, count: name.count)
            (at + 1 + name.count).initialize(to: UInt8(ascii: "\""))
            (at + 2 + name.count).initialize(to: UInt8(ascii: ":"))
            count += name.count + (isFirst ? 3 : 4)
        }
    }

    /// Makes room for more bytes. Returns where the first of them belongs.
    private mutating func room(_ more: Int) -> UnsafeMutablePointer<UInt8> {
        if count + more > capacity { grow(more) }
        return start + count
    }

    private mutating func grow(_ more: Int) {
        capacity = max(2 * capacity, count + more)
        let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
        larger.initialize(from: start, count: count)
        start.deallocate()
        start = larger
    }
}
