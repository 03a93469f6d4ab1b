/// A change of an optional value.
package enum Update<Value> {
    /// The value stays.
    case keep
    case clear
    case set(Value)

    /// Makes a change to a new value; nil clears the value.
    package init(_ value: Value?) { self = value.map { .set($0) } ?? .clear }

    /// Applies the change to a value.
    package func apply(to value: inout Value?) {
        switch self {
        case .keep: break
        case .clear: value = nil
        case .set(let new): value = new
        }
    }
}

extension Update: Sendable where Value: Sendable {}
extension Update: Equatable where Value: Equatable {}
