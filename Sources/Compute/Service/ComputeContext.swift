import Access
import CloudCore
import Durable
import SQL

/// The settings that an operator may change.
package struct ComputeSettings: Sendable {
    /// Whether a shelved server leaves its host at once. Otherwise it stays until an administrator offloads it.
    package var offloadsShelved = true

    package init() {}
}

/// The parts that all services of Compute share.
struct ComputeContext: Sendable {
    let database: Database
    let policy: Policy
    let world: World
    /// The waiter for moments of the world's clock.
    let sleeper: any Sleeper
    let needs: ComputeNeeds
    let hosts: HostKeeper
    let settings: ComputeSettings
    let topic = Topic("compute")

    var placing: Placing { Placing(needs: needs, database: database, keeper: hosts) }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.read(body)
    }

    /// Reads in a transaction that may take more than a few milliseconds.
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

/// Returns the requested page of a list.
///
/// - Parameter id: the value by which markers name an element.
/// - Throws: `CloudError.badRequest` if no element has the marker.
func paged<Element>(_ all: [Element], _ page: Page, id: (Element) -> String) throws -> [Element] {
    var rest = all[...].dropFirst(page.offset)
    if let marker = page.marker {
        guard let at = rest.firstIndex(where: { id($0) == marker }) else {
            throw page.lost(marker)
        }
        rest = rest[(at + 1)...]
    }
    return Array(rest.prefix(page.limit))
}
