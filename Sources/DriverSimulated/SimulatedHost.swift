import CloudCore
import Drivers
import Foundation
package import HostModel
import Synchronization

/// A simulated host: its machines, and the controls by which a test disturbs it.
package final class SimulatedHost: Sendable {
    package let name: String
    let world: World
    let settings: SimulationSettings
    let records: FencedRecords<SimulatedMachine>
    let lanes = SerialKeys<MachineID>()
    let hub = EventHub<MachineEvent>()
    let pool: SimulatedPool
    let backups: SimulatedBackups
    /// The folder for copies of disks; nil until there is a copy, so that thousands of hosts in memory do not need a
    /// folder each.
    private let spool: Mutex<Spool>
    private let folder: String?
    private let chance: Mutex<SimulatedChance>
    private let lost = Mutex(false)
    private let room = Mutex(true)

    init(
        name: String, folder: String?, world: World, settings: SimulationSettings, backups: SimulatedBackups,
        seed: UInt64
    ) throws {
        self.name = name
        self.world = world
        self.settings = settings
        self.backups = backups
        if let folder { try DurableFile.makeFolder(folder) }
        self.folder = folder
        spool = Mutex(Spool(path: folder.map { "\($0)/snapshots" }))
        records = try FencedRecords(folder: folder.map { "\($0)/machines" }, clock: world.clock)
        pool = try SimulatedPool(folder: folder, settings: settings, clock: world.clock)
        chance = Mutex(SimulatedChance(state: seed))
    }

    /// Returns a driver by which a control plane uses the host. There may be several, as after a restart.
    package func driver() -> SimulatedDriver { SimulatedDriver(host: self) }

    /// Returns a driver of the host's volumes. There may be several.
    package func volumes() -> SimulatedVolumes { SimulatedVolumes(host: self, pool: pool) }

    /// Whether the host cannot be reached. Its machines keep running in any case.
    package var isLost: Bool {
        get { lost.withLock { $0 } }
        set { lost.withLock { $0 = newValue } }
    }

    /// The machines of the host, as they are.
    package var machines: [(spec: MachineSpec, power: PowerState, boots: Int64)] {
        records.all.map { ($0.value.spec, $0.value.power, $0.value.boots) }
    }

    /// The ids of the copies of disks on the host.
    package var snapshots: [String] {
        guard let spool = spool.withLock({ $0.path }) else { return [] }
        return DurableFile.names(in: spool).filter { $0.hasSuffix(".qcow2") }.map { String($0.dropLast(6)) }.sorted()
    }

    /// The folder of copies.
    private struct Spool {
        /// The folder's path; nil before the first copy of a host in memory.
        var path: String?
        /// The number of copies that are being made.
        var writers = 0

        /// Makes the folder unless it is there. Returns its path.
        mutating func open() throws -> String {
            if let path {
                try DurableFile.makeFolder(path)
                return path
            }
            // The system's own randomness is used here: two worlds with the same seed must not share a folder.
            let pattern = FileManager.default.temporaryDirectory.path + "/novella-simulated-XXXXXX"
            var template = Array(pattern.utf8CString)
            guard mkdtemp(&template) != nil else { throw DurableFile.failure("make", "a temporary folder") }
            let made = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            path = made
            return made
        }
    }

    /// Makes a copy. The folder stays meanwhile, also if the last other copy is removed.
    ///
    /// - Parameters:
    ///   - name: the copy's id and its format.
    ///   - make: writes the copy to a path.
    func makeCopy<Value>(_ name: String, _ make: (_ path: String) async throws -> Value) async throws -> Value {
        let folder = try spool.withLock { spool in
            let folder = try spool.open()
            spool.writers += 1
            return folder
        }
        defer { spool.withLock { $0.writers -= 1 } }
        return try await make("\(folder)/\(name)")
    }

    func removeCopy(_ name: String) throws {
        try spool.withLock { spool in
            guard let path = spool.path, access(path, F_OK) == 0 else { return }
            try DurableFile.remove("\(path)/\(name)")
            // This has no effect while another copy is there.
            if folder == nil, spool.writers == 0, rmdir(path) == 0 { spool.path = nil }
        }
    }

    /// Makes a guest stop by itself, or its kernel panic.
    package func guestStops(_ id: MachineID, crashing: Bool = false) throws {
        try records.update(id.text) { machine in
            guard machine.power == .running else { return }
            machine.stop(as: crashing ? .crashed : .off, reason: crashing ? "the guest crashed" : "the guest stopped")
        }
        if let machine = records.value(id.text), !machine.power.isUp { send(crashing ? .crashed : .guestStopped, machine) }
    }

    /// Whether machines with full disks find room again.
    package var hasRoom: Bool {
        get { room.withLock { $0 } }
        set { room.withLock { $0 = newValue } }
    }

    /// Lets the guest of a running machine write to disks that have no room for it.
    package func fill(_ disks: [String], of id: MachineID) throws {
        hasRoom = false
        try records.update(id.text) { machine in
            guard machine.power == .running else { return }
            (machine.power, machine.fullDisks) = (.paused, disks)
            machine.reason = "there is no room for what the guest writes"
        }
        if let machine = records.value(id.text), !machine.fullDisks.isEmpty { send(.paused, machine) }
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

    /// Waits as long as the work takes.
    func work(_ machine: SimulatedMachine?) async throws {
        try await work(isSlow: machine?.spec.faults.contains(.slow) == true)
    }

    func work(isSlow: Bool) async throws {
        var duration = chance.withLock { $0.duration(in: settings.delay) }
        if isSlow { duration *= 50 }
        if duration > .zero { try await settings.clock.sleep(for: duration) }
    }

    func send(_ kind: MachineEvent.Kind, _ machine: SimulatedMachine) {
        guard !machine.spec.faults.contains(.lostEvent) else { return }
        hub.send(MachineEvent(machine: machine.spec.id, kind: kind, at: world.now))
    }
}

/// The random generator SplitMix64 (Steele, Lea and Flood, 2014): the same seed gives the same durations.
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
