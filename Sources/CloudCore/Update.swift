/// A change of a value that may be missing.
package enum Update<Value> {
    /// The value stays.
    case keep
    case clear
    case set(Value)

    /// Makes the change to a value that may be missing.
    package init(_ value: Value?) { self = value.map { .set($0) } ?? .clear }

    /// Brings the change to a value.
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
