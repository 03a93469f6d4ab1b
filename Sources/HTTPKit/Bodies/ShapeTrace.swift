package import CloudCore
import Synchronization

/// A record of the shapes with which a request's body and query are compared. A test that sends the largest values of
/// every field learns from it what a route reads: bodies are described where they are read, not in the table of routes.
package final class ShapeTrace: Sendable {
    /// The trace of the present task; nil outside of tests.
    @TaskLocal package static var current: ShapeTrace?

    package enum Event: Sendable {
        /// A value that was compared with a shape, in a minor version of the API.
        case compared(JSON, Shape, minor: Int)
        /// A body whose only member has this name and this shape.
        case envelope(String, Shape)
        /// A name that the query may have, with the shape of its values.
        case query(String, Shape)
    }

    private let noted = Mutex<[Event]>([])

    package init() {}

    /// All events, in their order.
    package var events: [Event] { noted.withLock { $0 } }

    package static func note(_ event: @autoclosure () -> Event) {
        guard let current else { return }
        let event = event()
        current.noted.withLock { $0.append(event) }
    }
}
