import CloudCore
package import Drivers
import Foundation
import Synchronization

/// One simulated host: its machines, and what a test does to it from behind.
package final class SimulatedHost: Sendable {
    package let name: String
    let world: World
    let settings: SimulationSettings
    let records: FencedRecords<SimulatedMachine>
    let lanes = SerialKeys<MachineID>()
    let hub = EventHub<MachineEvent>()
    /// Where copies of disks lie.
    let spool: String
    private let chance: Mutex<SimulatedChance>
    private let lost = Mutex(false)

    init(name: String, folder: String?, world: World, settings: SimulationSettings, seed: UInt64) throws {
        self.name = name
        self.world = world
        self.settings = settings
        if let folder { try DurableFile.makeFolder(folder) }
        spool = try folder.map { "\($0)/snapshots" } ?? Self.temporaryFolder(world)
        try DurableFile.makeFolder(spool)
        records = try FencedRecords(folder: folder.map { "\($0)/machines" }, clock: world.clock)
        chance = Mutex(SimulatedChance(state: seed))
    }

    private static func temporaryFolder(_ world: World) throws -> String {
        FileManager.default.temporaryDirectory.path + "/novella-simulated-" + world.random.hexID()
    }

    /// What the control plane, or a process of it, drives the host with. There may be several, as after a restart.
    package func driver() -> SimulatedDriver { SimulatedDriver(host: self) }

    /// Whether the host can be reached. Its machines go on in any case.
    package var isLost: Bool {
        get { lost.withLock { $0 } }
        set { lost.withLock { $0 = newValue } }
    }

    /// A guest stops by itself, or its kernel panics.
    package func guestStops(_ id: MachineID, crashing: Bool = false) throws {
        try records.update(id.text) { machine in
            guard machine.power == .running else { return }
            machine.stop(as: crashing ? .crashed : .off, reason: crashing ? "the guest crashed" : "the guest stopped")
        }
        if let machine = records.value(id.text), !machine.power.isUp { send(crashing ? .crashed : .guestStopped, machine) }
    }

    func requireReach() throws(CloudError) {
        guard isLost else { return }
        throw Self.unreachable(name)
    }

    static func unreachable(_ name: String) -> CloudError {
        var error = CloudError(.unavailable, "The host cannot be reached.", detail: "simulated: \(name)", code: "host_lost")
        error.isTransient = true
        return error
    }

    /// Lets so much time pass as the work takes.
    func work(_ machine: SimulatedMachine?) async throws {
        var duration = chance.withLock { $0.duration(in: settings.delay) }
        if machine?.spec.faults.contains(.slow) == true { duration *= 50 }
        if duration > .zero { try await settings.clock.sleep(for: duration) }
    }

    func send(_ kind: MachineEvent.Kind, _ machine: SimulatedMachine) {
        guard !machine.spec.faults.contains(.lostEvent) else { return }
        hub.send(MachineEvent(machine: machine.spec.id, kind: kind, at: world.now))
    }
}

/// SplitMix64 (Steele, Lea and Flood, 2014): the same times from the same seed.
struct SimulatedChance {
    var state: UInt64

    mutating func duration(in range: ClosedRange<Duration>) -> Duration {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        let part = Double((mixed ^ (mixed >> 31)) >> 11) / Double(1 << 53)
        return range.lowerBound + (range.upperBound - range.lowerBound) * part
    }
}
