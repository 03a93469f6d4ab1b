import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPTypes
import Logging
import SQL
import TestSupport

/// A cloud's worth of simulated hosts around one workflow of a server.
struct ServerStage: WorkflowStage {
    let database: Database
    let world: World
    let fleet: Fleet
    let hosts: HostsForCompute
    let machines: MachinesForCompute
    let images = MemoryImages()
    let networks = MemoryNetworks()
    let placement: MemoryPlacement
    /// Whether an undo brings the guest back to what it did. A verb that has done its work and then failed has left the machine so.
    let restoresPower: Bool
    /// The server as it is before, and what starts the workflow.
    let begin: @Sendable (ServerStage, Workflows, Transaction) throws -> WorkflowID

    static let schemas: [Schema] = [.compute, MemoryPlacement.schema, MemoryNetworks.schema]
    static let id = ID<Server>("33333333-3333-4333-8333-333333333333")
    static let host = "host-1"

    init(
        _ database: Database, _ world: World, state: VMState?, metadata: [String: String] = [:], image: NewImage? = nil, restoresPower: Bool = true,
        prepare: @Sendable (inout Server) -> Void = { _ in },
        begin: @escaping @Sendable (ServerStage, Workflows, Transaction) throws -> WorkflowID
    ) async throws {
        self.database = database
        self.world = world
        fleet = try Fleet(simulating: 2, world: world, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        hosts = HostsForCompute(fleet: fleet, world: world)
        machines = MachinesForCompute(fleet: fleet, images: EveryImage())
        placement = MemoryPlacement(hosts: hosts)
        self.begin = begin
        self.restoresPower = restoresPower
        var server = Self.server(world)
        server.metadata = metadata
        if let state {
            server.state = state
            server.host = Self.host
            server.power = [.stopped, .shelved].contains(state) ? .off : .running
        }
        prepare(&server)
        let placed = server
        let (placement, networks) = (self.placement, self.networks)
        if let image { try await images.ensure(image, for: Self.principal) }
        guard let state else { return }
        guard let host = placed.host else {
            // It has left its host.
            try await database.write { tx in
                try ServerStore().insert(placed, in: tx)
                _ = try networks.ensurePorts(Self.plan, server: placed.id.text, host: "", in: tx)
            }
            return
        }
        let reports = try await hosts.reports()
        try await database.write { tx in
            try ServerStore().insert(placed, in: tx)
            _ = try placement.claim(
                PlacementCandidate(hostID: reports[0].id, parts: [reports[0].id: ["VCPU": 1]]), consumer: placed.id.text, projectID: "p",
                userID: "u", in: tx)
            if placed.otherHost != nil {
                _ = try placement.claim(
                    PlacementCandidate(hostID: reports[1].id, parts: [reports[1].id: ["VCPU": 2]]),
                    consumer: Server.formerConsumer(of: placed.id), projectID: "p", userID: "u", in: tx)
            }
            _ = try networks.ensurePorts(Self.plan, server: placed.id.text, host: host, in: tx)
        }
        let intent = Intent(server: placed, ports: try await database.read { tx in try networks.ports(of: [placed.id.text], in: tx)[placed.id.text] ?? [] })
        let fence = MachineFence(epoch: 0, generation: 0)
        if let other = placed.otherHost { try await machines.ensure(intent.order(), on: other, fence: fence) }
        try await machines.ensure(intent.order(), on: host, fence: fence)
        if placed.power != .off { try await machines.command(placed.id.text, .start, on: host, fence: fence) }
        if state == .paused { try await machines.command(placed.id.text, .pause, on: host, fence: fence) }
        if state == .suspended { try await machines.command(placed.id.text, .suspend, on: host, fence: fence) }
    }

    static let plan = NetworkPlan(
        projectID: "p", ports: [.init(id: "44444444-4444-4444-8444-444444444444", network: MemoryNetworks.network, address: nil, tag: nil, isGiven: false)],
        securityGroups: [])

    static func flavor(_ id: String = "small", ram: Int = 512) -> Flavor {
        Flavor(
            number: 1, id: ID(id), name: id, ramMiB: ram, vcpus: 1, diskGiB: 1, ephemeralGiB: 0, swapMiB: 0, rxtxFactor: 1, isPublic: true,
            createdAt: Timestamp(seconds: 0))
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
        ComputeNeeds(identity: EveryProject(), hosts: hosts, machines: machines, placement: placement, images: images, networking: networks, others: NoOtherAPIs())
    }

    func definitions() -> [WorkflowDefinition] { ServerWorkflows.definitions(ServerWorld(needs: needs, world: world)) }

    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID { try begin(self, workflows, tx) }

    func outcome(_ tx: Transaction) throws -> String { try (rows(tx) + things(tx)).joined(separator: "\n") }

    private func rows(_ tx: Transaction) throws -> [String] {
        func line(_ word: String, _ server: Server) -> String {
            "\(word) \(server.state) power \(server.power) host \(server.host ?? "-") other \(server.otherHost ?? "-") rescue \(server.rescueImage?.id ?? "-") shelf \(server.shelvedImage ?? "-") flavor \(server.flavor.id) former \(server.former?.flavor.id.text ?? "-") image \(server.image?.id ?? "-")"
        }
        let store = ServerStore()
        return try store.list(.init(), in: tx).map { line("server", $0) } + store.listArchived(.init(), in: tx).map { line("archived", $0) }
            + MigrationStore().list(.init(), in: tx).map { "migration \($0.status)" }
    }

    private func things(_ tx: Transaction) throws -> [String] {
        let machines = fleet.simulatedMachines.map {
            "machine \($0.id) on \($0.host) \($0.power) ram \($0.memoryMiB) ports \($0.ports.count) disks \($0.disks.joined(separator: ", "))"
        }
        let copies = fleet.simulatedCopies.map { "snapshot \($0.id) on \($0.host)" }
        let rows = try placement.lines(in: tx) + networks.lines(in: tx)
        return machines + rows + images.ids.map { "image \($0)" } + copies
    }

    /// What an undone workflow must leave as it was before: for a server that is there, all its things; for one that was not, none.
    func leftovers(_ tx: Transaction) throws -> [String] {
        guard let server = try ServerStore().find(Self.id, in: tx) else { return ["no server"] }
        let things = try things(tx)
        // One that is building and that nobody builds is shown in error.
        if server.state == .shelvedOffloaded { return things.count == 2 && things[0].hasSuffix(" on ") && server.host == nil ? [] : things }
        if server.host == nil { return [.error, .building].contains(server.state) ? things : ["a server that is \(server.state)"] }
        // The image of a snapshot that never began is its user's, who has been told of it.
        let expected = !images.ids.isEmpty && (server.generation == 0 || server.shelvedImage != nil) ? 4 : 3
        let isWhole = things.count == expected && server.former == nil && server.flavor.id.text == "small" && server.otherHost == nil
        return isWhole && isInPlace(server, things) ? [] : things
    }

    /// Its machine and its ports are where it is, and the machine does what the row says, from the disk that it says.
    private func isInPlace(_ server: Server, _ things: [String]) -> Bool {
        guard let machine = fleet.simulatedMachines.first, machine.host == server.host else { return false }
        let powers: [VMState: String] = [.active: "running", .paused: "paused", .rescued: "running"]
        return things.contains { $0.hasPrefix("port ") && $0.hasSuffix(" on \(machine.host)") }
            && (!restoresPower || powers[server.state].map { $0 == machine.power } != false)
            && machine.disks.contains { $0.hasPrefix("rescue") } == (server.rescueImage != nil)
            && (server.rescueImage != nil) == (server.state == .rescued)
    }
}

/// Each image's content is made of its id.
private struct EveryImage: MachineImages {
    func image(_ id: String) async throws -> MachineImage {
        let digits = id.filter(\.isHexDigit)
        return try MachineImage(content: String(String(repeating: digits, count: 4).prefix(128)), format: "raw", virtualBytes: 1 << 20)
    }
}

private struct EveryProject: IdentityNeed {
    func requireProject(_ id: String) async throws {}
}

/// Workflows call no other API.
private struct NoOtherAPIs: OtherAPIsNeed {
    func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON?, token: String) async throws -> JSON { .null }
}
