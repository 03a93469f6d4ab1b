import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPTypes
import HostModel
import Logging
import SQL
import TestSupport

/// The rows and simulated hosts around one workflow of a server.
struct ServerStage: WorkflowStage {
    let database: Database
    let world: World
    let fleet: Fleet
    let hosts: HostsForCompute
    let machines: MachinesForCompute
    let images = MemoryImages()
    let networks = MemoryNetworks()
    let volumes: MemoryVolumes
    let placement: MemoryPlacement
    /// The server's state before the workflow, and what an undo may leave.
    let setting: Setting
    /// Starts the workflow.
    let begin: @Sendable (ServerStage, Workflows, Transaction) throws -> WorkflowID
    /// The server before the workflow; nil if the workflow creates it.
    private let former: Server?
    /// The inventory before the workflow begins.
    private var before = Inventory()

    static let schemas: [Schema] = [
        .compute, MemoryPlacement.schema, MemoryNetworks.schema, MemoryVolumes.schema,
    ]
    static let id = ID<Kind.Server>("33333333-3333-4333-8333-333333333333")
    static let host = "host-1"

    struct Setting: Sendable {
        /// The server's state before the workflow; nil if there is no server.
        var state: VMState?
        /// An image that exists before the workflow: one queued for a copy of the server, or the one in which the
        /// server is shelved.
        var image: NewImage?
        /// Whether an undo restores the guest's power. A verb that has done its work and then failed leaves the machine
        /// as it is.
        var restoresPower = true
        /// Whether an undo may leave the server in error, with a machine whose content is unknown.
        var mayBreak = false
        /// The volumes that the server has before the workflow.
        var volumes: [ServerVolume] = []
        /// The volumes that no server uses before the workflow.
        var freeVolumes: [ID<Kind.Volume>] = []
        var prepare: @Sendable (inout Server) -> Void = { _ in }
    }

    init(
        _ database: Database, _ world: World, _ setting: Setting,
        begin: @escaping @Sendable (ServerStage, Workflows, Transaction) throws -> WorkflowID
    ) async throws {
        self.database = database
        self.world = world
        self.setting = setting
        self.begin = begin
        fleet = try Fleet(simulating: 2, world: world, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        hosts = HostsForCompute(fleet: fleet, world: world)
        machines = MachinesForCompute(fleet: fleet)
        placement = MemoryPlacement(hosts: hosts)
        volumes = MemoryVolumes(database)
        former = setting.state.map { state in
            var server = Self.server(world)
            (server.state, server.host) = (state, Self.host)
            server.power = [.stopped, .shelved].contains(state) ? .off : .running
            setting.prepare(&server)
            return server
        }
        if let image = setting.image { try await images.ensure(image, for: Self.principal) }
        try await database.write { [volumes] tx in
            for volume in setting.freeVolumes { try volumes.add(volume, in: tx) }
        }
        if let former { try await place(former) }
        let stage = self
        before = try await database.read { tx in try stage.inventory(tx) }
    }

    /// Makes the server's row, claims, ports and machines as its state requires.
    private func place(_ server: Server) async throws {
        let reports = try await hosts.reports()
        let ports = try await database.write { tx in
            try ServerStore().insert(server, in: tx)
            if server.host != nil { try claim(Server.consumer(of: server.id), on: reports[0].id, 1, in: tx) }
            if server.otherHost != nil { try claim(Server.formerConsumer(of: server.id), on: reports[1].id, 2, in: tx) }
            for volume in setting.volumes {
                try volumes.add(volume.volumeID, in: tx)
                try volumes.reserve(volume.use(in: "p"), in: tx)
                if server.host != nil { try volumes.complete(volume.attachmentID, in: tx) }
                try ServerVolumeStore().insert(volume, in: tx)
            }
            return try networks.ensurePorts(Self.plan, server: server.id, host: server.host ?? "", in: tx)
        }
        guard let host = server.host else { return }
        let intent = Intent(server: server, ports: ports, volumes: setting.volumes)
        func machine(on host: String) -> ServerMachine {
            ServerMachine(intent: intent, host: host, epoch: 0, world: serverWorld)
        }
        if let other = server.otherHost { try await machine(on: other).ensure() }
        try await machine(on: host).ensure()
        if server.power != .off { try await machine(on: host).setPower(.running) }
        if server.state == .paused { try await machine(on: host).setPower(.paused) }
        if server.state == .suspended { try await machine(on: host).setPower(.suspended) }
    }

    private func claim(_ consumer: ID<Kind.Consumer>, on host: ID<Kind.Provider>, _ vcpus: Int64, in tx: Transaction) throws {
        let candidate = PlacementCandidate(hostID: host, parts: [host: ["VCPU": vcpus]])
        _ = try placement.claim(candidate, consumer: consumer, projectID: "p", userID: "u", in: tx)
    }

    static let plan = NetworkPlan(
        projectID: "p", ports: [.init(id: "44444444-4444-4444-8444-444444444444", network: MemoryNetworks.network, isGiven: false)],
        securityGroups: [])

    static func flavor(_ id: String = "small", ram: Int = 512) -> Flavor {
        Flavor(
            number: 1, id: ID(id), name: id, ramMiB: ram, vcpus: 1, diskGiB: 1, ephemeralGiB: 0, swapMiB: 0, rxtxFactor: 1, isPublic: true,
            createdAt: Timestamp(seconds: 0))
    }

    static func volume(_ device: String = "/dev/vdb", bootIndex: Int? = nil, isDeleted: Bool = false) -> ServerVolume {
        let digit = device.suffix(1)
        func id(_ first: String) -> String { "\(first)0000000-0000-4000-8000-00000000000\(digit)" }
        return ServerVolume(
            id: id("a"), serverID: Self.id, volumeID: ID(id("b")), attachmentID: ID(id("c")), device: device,
            bootIndex: bootIndex, bus: nil, isCD: false, tag: nil, isDeletedWithServer: isDeleted)
    }

    static func server(_ world: World) -> Server {
        var server = Server(
            id: id, number: 1, projectID: "p", userID: "u", name: "one", hostname: "one", flavor: flavor(), reservationID: "r-1",
            createdAt: world.now, updatedAt: world.now)
        server.image = .init(id: "55555555-5555-4555-8555-555555555555", properties: [:])
        return server
    }

    static let principal = Principal(
        userID: ID("u"), userName: "u", userDomain: .init(id: "d", name: "d"),
        scope: .project(id: ID("p"), name: "p", domain: .init(id: "d", name: "d")), roles: [], expiresAt: Timestamp(seconds: 4_000_000_000))

    private var needs: ComputeNeeds {
        ComputeNeeds(
            identity: EveryProject(), hosts: hosts, machines: machines, placement: placement, images: images,
            networking: networks, volumes: volumes, others: NoOtherAPIs())
    }

    private var serverWorld: ServerWorld {
        let keeper = HostKeeper(database: database, hosts: hosts)
        return ServerWorld(placing: Placing(needs: needs, database: database, keeper: keeper), world: world)
    }

    func definitions() -> [WorkflowDefinition] { ServerWork.definitions(serverWorld) }

    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID { try begin(self, workflows, tx) }

    func outcome(_ tx: Transaction) throws -> String { try (rows(tx) + inventory(tx).lines).joined(separator: "\n") }

    private func rows(_ tx: Transaction) throws -> [String] {
        let store = ServerStore()
        return try store.list(in: tx).map { "server \(Row($0))" }
            + store.list(.archive, in: tx).map { "archived \(Row($0))" }
            + MigrationStore().list(.init(), in: tx).map { "migration \($0.status)" }
    }

    /// Compares the current state with what an undo must leave: everything as before, except for what the setting
    /// allows.
    func leftovers(_ tx: Transaction) throws -> [String] {
        guard let server = try ServerStore().find(Self.id, in: tx) else { return ["no server"] }
        var (found, expected, row) = (try inventory(tx), before, Row(former ?? server))
        if former == nil { (row.state, row.power, row.host) = (.error, .none, nil) }
        if setting.mayBreak, server.state == .error {
            (row.state, row.image) = (.error, server.image?.id)
            for place in found.machines.indices { found.machines[place].disks = expected.machines.first?.disks ?? [] }
            // A machine with volumes is made anew, and its volumes stay reserved for the server without it.
            if !setting.volumes.isEmpty {
                (found.machines, found.volumes) = (expected.machines, expected.volumes)
            }
        }
        if !setting.restoresPower || setting.mayBreak {
            for place in found.machines.indices { found.machines[place].power = expected.machines.first?.power ?? "" }
        }
        // The image that was queued for a copy goes. The image in which a server is shelved stays.
        expected.images = [former?.shelvedImage?.text].compactMap(\.self)
        return found.differences(from: expected) + (Row(server) == row ? [] : ["server: \(Row(server)) instead of \(row)"])
    }

    /// The fields of a server's row that workflows change.
    private struct Row: Equatable {
        var state: VMState
        var power: PowerNumber
        var host: String?
        var image: ID<Kind.Image>?
        let rescueImage, shelvedImage: ID<Kind.Image>?
        let otherHost: String?
        let flavor: String
        let formerFlavor: String?

        init(_ server: Server) {
            (state, power, host, otherHost) = (server.state, server.power, server.host, server.otherHost)
            (rescueImage, shelvedImage, image) = (server.rescueImage?.id, server.shelvedImage, server.image?.id)
            (flavor, formerFlavor) = (server.flavor.id.text, server.former?.flavor.id.text)
        }
    }
}

private struct EveryProject: IdentityNeed {
    func requireProject(_ id: ID<Kind.Project>) async throws {}
}

/// Another API that must not be needed: workflows call none.
private struct NoOtherAPIs: OtherAPIsNeed {
    func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON?, token: String) async throws -> JSON { .null }
}
