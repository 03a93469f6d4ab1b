import Access
import CloudCore
import Durable
import SQL

/// What an operator sets.
package struct ComputeSettings: Sendable {
    /// Whether a server that is shelved leaves its host at once. Otherwise an administrator says when.
    package var offloadsShelved = true

    package init() {}
}

/// What every service of Compute is made with.
struct ComputeContext: Sendable {
    let database: Database
    let policy: Policy
    let world: World
    /// The waiter for moments of the world's clock.
    let sleeper: any Sleeper
    let needs: ComputeNeeds
    let settings: ComputeSettings
    let topic = Topic("compute")

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.read(body)
    }

    /// The same, of what may take more than a few milliseconds.
    func readLong<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.read(.long, body)
    }

    @discardableResult
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.write { [topic] tx in
            tx.changed(topic)
            return try body(tx)
        }
    }
}

/// The part of a list that is asked for, of all its elements in order.
///
/// - Parameter id: what markers name.
/// - Throws: `CloudError.badRequest` for a marker that no element has.
func paged<Element>(_ all: [Element], _ page: Page, id: (Element) -> String) throws -> [Element] {
    var rest = all[...].dropFirst(page.offset)
    if let marker = page.marker {
        guard let at = rest.firstIndex(where: { id($0) == marker }) else {
            throw CloudError.badRequest("marker [\(marker.prefix(255))] not found")
        }
        rest = rest[(at + 1)...]
    }
    return Array(rest.prefix(page.limit))
}
