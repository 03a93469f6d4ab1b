package import CloudCore
package import Drivers
import Foundation
package import HostModel
package import Logging
import Synchronization

/// The settings of an agent.
package struct AgentSettings: Sendable {
    /// The time between two checks of everything.
    package var interval: Duration = .seconds(30)
    /// The time between two looks whether machines with full disks can go on.
    package var roomInterval: Duration = .seconds(3)
    /// Whether machines that ran are started again after a restart of the host.
    package var resumesAfterHostRestart = true
    package var clock: any Clock<Duration> = ContinuousClock()

    package init() {}
}

/// An agent that keeps one host equal to what is wanted of it. It knows no database, no service and no HTTP.
///
/// The wanted state is in a folder of the host, so that an agent that was killed continues where it was, and machines
/// do not need the control plane. Each request is recorded first and then carried out; `keep` repeats what failed.
package final class Agent: Sendable {
    package let host: HostID
    let driver: any MachineDriver
    let networks: (any NetworkDriver)?
    let volumes: (any VolumeDriver)?
    let settings: AgentSettings
    let log: Logger
    let desired: FencedRecords<DesiredMachine>
    let lanes = SerialKeys<MachineID>()
    let hub = EventHub<AgentReport>()
    /// The pools that are above their soft limit, and of which the operator was warned.
    let fullPools = Mutex<Set<String>>([])
    /// The machines with full disks.
    let stalled = Mutex<Set<MachineID>>([])
    private let bootFile: String?

    /// Creates the agent, and reads what was wanted of its host before.
    ///
    /// - Parameters:
    ///   - networks: the network driver; nil on a host without networks.
    ///   - volumes: the volume driver; nil on a host without volumes.
    ///   - folder: the folder for the wanted state; nil to keep it in memory.
    ///   - bootID: a text that differs after each start of the host; the kernel's own is `Agent.kernelBootID`.
    package init(
        host: HostID, driver: any MachineDriver, networks: (any NetworkDriver)? = nil, volumes: (any VolumeDriver)? = nil,
        folder: String?, bootID: String, world: World, log: Logger, settings: AgentSettings = AgentSettings()
    ) throws {
        guard PathPart.isPlain(host.text) else { throw CloudError.badRequest("A host cannot be called '\(host)'.") }
        self.host = host
        self.driver = driver
        self.networks = networks
        self.volumes = volumes
        self.settings = settings
        self.log = log
        if let folder { try DurableFile.makeFolder(folder) }
        desired = try FencedRecords(folder: folder.map { $0 + "/machines" }, clock: world.clock)
        bootFile = folder.map { $0 + "/boot" }
        try noteBoot(bootID)
    }

    package func reports() -> AsyncStream<AgentReport> { hub.listen() }

    /// Marks the machines that ran as unsettled if the host was restarted, so that they are started again.
    private func noteBoot(_ bootID: String) throws {
        guard let bootFile else { return }
        let last = try DurableFile.read(bootFile)
        guard last != .init(bootID.utf8) else { return }
        if last != nil, settings.resumesAfterHostRestart {
            for machine in desired.all where machine.value.power == .running {
                try desired.update(machine.id) { $0.isSettled = false }
            }
        }
        try DurableFile.write(.init(bootID.utf8), to: bootFile)
    }

    /// Makes a change. The changes of one machine take turns.
    package func carryOut(_ request: AgentRequest) async throws -> AgentReply {
        guard request.machine.isUUID else { throw CloudError.badRequest("A machine's id must be a UUID in lower case.") }
        return try await lanes.run(request.machine) {
            let id = request.machine.text
            switch request.verb {
            case .ensure, .unpack: try desired.admit(id, request.fence, makes: true)
            default: try desired.admit(id, request.fence)
            }
            let before = desired.value(id)
            do {
                let reply = try await perform(request)
                try desired.update(id) { $0.note(request.id) }
                return reply
            } catch {
                report(error, request.machine)
                // The caller knows now that it failed and decides anew. If the host went on trying, it would act
                // against that decision.
                if let before, (error as? CloudError)?.isTransient == false {
                    try desired.update(id) { ($0.power, $0.isSettled) = (before.power, before.isSettled) }
                }
                throw error
            }
        }
    }

    package func answer(_ question: AgentQuestion) async throws -> AgentReply {
        switch question {
        case .inventory: .inventory(try await inventory())
        case .observe(let id): try await driver.observe(id).map { .machine($0) } ?? .gone
        case .wanted(let id): desired.value(id.text).flatMap { $0.isRemoving ? nil : .wanted($0.spec) } ?? .gone
        case .forgetSnapshot(let snapshot): try await forget(snapshot)
        case .console(let id, let bytes): .console(try await driver.consoleOutput(id, mostBytes: bytes))
        case .display(let id): .display(try await driver.display(id))
        case .diagnostics(let id): .diagnostics(try await driver.diagnostics(id))
        }
    }

    /// Applies the state of all networks of the host. The driver remembers it; the keeper sends it again from time to
    /// time.
    package func apply(_ state: HostNetworkState) async throws -> NetworkReport {
        guard let networks else {
            throw CloudError(.notImplemented, "The host cannot have networks.", detail: "\(host): no network driver", code: "no_networks")
        }
        return try await networks.apply(state)
    }

    private func forget(_ snapshot: String) async throws -> AgentReply {
        try await able((any Snapshotting).self, "copy disks").removeSnapshot(snapshot)
        return .done
    }

    func inventory() async throws -> HostInventory {
        var inventory = HostInventory(
            host: host, driver: driver.kind, capabilities: try await driver.capabilities(), resources: try await driver.resources())
        inventory.machines = try await driver.list()
        for machine in inventory.machines { note(machine) }
        // The records are read after the list, so that each listed machine was wanted before.
        let wanted = desired.all
        let ids = Set(wanted.map(\.id))
        inventory.unclaimed = inventory.machines.map(\.id).filter { !ids.contains($0.text) }
        let unsettled = wanted.filter { $0.value.isRemoving || ($0.value.power != nil && !$0.value.isSettled) }
        inventory.unsettled = Set(unsettled.map { MachineID($0.id) })
        inventory.abilities = abilities
        if let volumes {
            inventory.pools = try await volumes.pools()
            warn(of: inventory.pools)
        }
        return inventory
    }

    private var abilities: Set<HostInventory.Ability> {
        var abilities: Set<HostInventory.Ability> = []
        if driver is any Pausing { abilities.insert(.pausing) }
        if driver is any Suspending { abilities.insert(.suspending) }
        if driver is any Snapshotting { abilities.insert(.snapshotting) }
        if driver is any Resizing { abilities.insert(.resizing) }
        if driver is any Moving { abilities.insert(.moving) }
        if driver is any LiveMoving { abilities.insert(.liveMoving) }
        if driver is any PasswordSetting { abilities.insert(.passwordSetting) }
        if driver is any InterfaceAttaching { abilities.insert(.interfaceAttaching) }
        if driver is any VolumeAttaching { abilities.insert(.volumeAttaching) }
        return abilities
    }

    func report(_ error: any Error, _ id: MachineID) {
        guard !(error is CancellationError) else { return }
        let problem = error as? CloudError ?? .internalError("the driver failed", cause: error)
        log.warning("a machine is not as it is wanted", metadata: ["machine": "\(id)", "problem": "\(problem)"])
        hub.send(.problem(host, id, AgentProblem(problem)))
    }
}
