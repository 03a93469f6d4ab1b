import CloudCore
import Durable
import HostModel

/// The machine that is wanted, as a workflow notes it.
struct Intent: StoredValue {
    static let storedName = "compute.intent"

    var server: Server
    var ports: [ServerPort]
    @Defaulted<Default.EmptyList<ServerVolume>> var volumes: [ServerVolume] = []

    /// The server's own host.
    var host: String {
        get throws { try server.requireHost() }
    }

    func fence(_ epoch: Int64) -> Fence { Fence(epoch: epoch, generation: server.generation) }

    /// Returns the same machine without the card of a port.
    func without(_ port: ID<Kind.Port>) -> Intent {
        var intent = self
        intent.ports.removeAll { $0.id == port }
        return intent
    }

    /// Returns the same machine without a volume.
    func without(_ volume: ServerVolume) -> Intent {
        var intent = self
        intent.volumes.removeAll { $0.id == volume.id }
        return intent
    }

    /// Returns the same machine with a volume.
    func with(_ volume: ServerVolume) -> Intent {
        var intent = without(volume)
        intent.volumes.append(volume)
        return intent
    }
}

extension Server {
    func requireHost() throws -> String {
        guard let host else { throw CloudError.conflict("Instance \(id) has no host.") }
        return host
    }
}

/// The state of a workflow that notes an intent.
protocol IntentState: WorkflowState {
    /// The machine that is wanted; nil until the step `intentStep` has run. Steps and undos read it by `wanted()`.
    var intent: Intent? { get }
    /// The name of the step that notes the intent.
    static var intentStep: String { get }
}

extension IntentState {
    static var intentStep: String { "intend" }

    /// Returns the machine that is wanted. Every step after the step `intentStep` needs it, and so does the undo of
    /// each.
    ///
    /// - Throws: an internal error if the intent is missing.
    func wanted() throws -> Intent { try intent.required("intent", from: Self.intentStep) }
}
