import CloudCore
import Durable
import HostModel

/// The machine that is wanted, as a workflow has noted it.
struct Intent: StoredValue {
    static let storedName = "compute.intent"

    var server: Server
    var ports: [ServerPort]

    /// The server's own host.
    var host: String {
        get throws { try server.requireHost() }
    }

    func fence(_ epoch: Int64) -> Fence { Fence(epoch: epoch, generation: server.generation) }

    /// Returns the same without one of the ports.
    func without(_ port: ID<Kind.Port>) -> Intent {
        var intent = self
        intent.ports.removeAll { $0.id == port }
        return intent
    }
}

extension Server {
    func requireHost() throws -> String {
        guard let host else { throw CloudError.conflict("Instance \(id) has no host.") }
        return host
    }
}

/// The state of a workflow that notes what is wanted of a server's machine.
protocol IntentState: Sendable {
    /// Nil until the step `intentStep` has run. Steps and undos read it by `wanted()`.
    var intent: Intent? { get }
    /// The name of the step that notes the intent.
    static var intentStep: String { get }
}

extension IntentState {
    static var intentStep: String { "intend" }

    /// Returns what is wanted of the machine. A step that comes after the intent's step cannot do without it, and neither can its undo.
    ///
    /// - Throws: an internal error when the intent is missing.
    func wanted() throws -> Intent { try intent.required("intent", from: Self.intentStep) }
}
