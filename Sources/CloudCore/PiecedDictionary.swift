/// A dictionary in pieces: a copy that is changed in one place shares all other pieces with the original.
package struct PiecedDictionary<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private static var count: Int { 512 }
    private var pieces = [[Key: Value]](repeating: [:], count: count)

    package init() {}

    package subscript(_ key: Key) -> Value? {
        get { pieces[key.hashValue & (Self.count - 1)][key] }
        set { pieces[key.hashValue & (Self.count - 1)][key] = newValue }
    }

    package subscript(_ key: Key, default value: @autoclosure () -> Value) -> Value {
        get { self[key] ?? value() }
        _modify {
            let piece = key.hashValue & (Self.count - 1)
            yield &pieces[piece][key, default: value()]
        }
    }

    /// All keys and values, in no order.
    package var all: some Sequence<(key: Key, value: Value)> { pieces.lazy.joined() }
}
