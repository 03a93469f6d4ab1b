import Synchronization

/// A value that several tasks of a test read and write.
package final class Box<Value: Sendable>: Sendable {
    private let stored: Mutex<Value>

    package init(_ value: Value) { stored = Mutex(value) }

    package var value: Value {
        get { stored.withLock { $0 } }
        set { stored.withLock { $0 = newValue } }
    }

    package func update(_ change: (inout sending Value) -> Void) { stored.withLock { change(&$0) } }
}
