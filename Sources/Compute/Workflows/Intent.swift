import CloudCore
import Durable

/// The machine that is wanted, as a workflow has noted it.
struct Intent: StoredValue {
    static let storedName = "compute.intent"

    var server: Server
    var ports: [ServerPort]

    /// The server's own host.
    var host: String {
        get throws { try server.requireHost() }
    }

    func fence(_ epoch: Int64) -> MachineFence { MachineFence(epoch: epoch, generation: server.generation) }

    func order(diskRevision: Int64 = 0, without port: String? = nil) -> MachineOrder {
        MachineOrder(
            id: server.id.text, name: server.name, vcpus: server.flavor.vcpus, memoryMiB: server.flavor.ramMiB,
            rootGiB: server.flavor.diskGiB, rootBus: server.disks?.rootBus, ephemerals: server.ephemerals,
            swapMiB: server.disks?.swapMiB(server.flavor) ?? server.flavor.swapMiB, swapBus: server.disks?.swap?.bus,
            imageID: server.image?.id, imageProperties: server.image?.properties ?? [:], extraSpecs: server.flavor.extraSpecs,
            ports: ports.filter { $0.id != port }, metadata: server.metadata, hostname: server.hostname, userData: server.userData,
            publicKey: server.publicKey, hasConfigDrive: server.hasConfigDrive, diskRevision: diskRevision,
            rescueImageID: server.rescueImage?.id)
    }
}

extension Server {
    func requireHost() throws -> String {
        guard let host else { throw CloudError.conflict("Instance \(id) has no host.") }
        return host
    }

    /// The empty disks: those that its user described, or else one as large as the flavor says.
    fileprivate var ephemerals: [EmptyDisk] {
        if let described = disks?.ephemeral { return described.map { EmptyDisk(sizeGiB: $0.sizeGiB ?? 0, bus: $0.bus) } }
        return flavor.ephemeralGiB > 0 ? [EmptyDisk(sizeGiB: flavor.ephemeralGiB)] : []
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
