package import CloudCore
package import Compute
import NIOCore
import Synchronization

/// Hosts without a hypervisor: what `--simulate` runs machines on. They live in memory alone.
///
/// A machine whose metadata has `simulate:fail` with a word of `Fault` refuses that call.
package final class SimulatedHosts: HostsNeed, MachinesNeed {
    /// A machine as it is.
    package struct Machine: Sendable, Hashable {
        package var order: MachineOrder
        package var power: MachinePower
        package var boots = 0
        var fence: MachineFence
    }

    package enum Fault: String, Sendable { case build, command, snapshot }

    private struct Content: Sendable {
        var machines: [String: [String: Machine]] = [:]
        /// Also of machines that are gone: what is late stays refused.
        var fences: [String: MachineFence] = [:]
        var snapshots: [String: Set<String>] = [:]
    }

    package let count: Int
    private let world: World
    private let bootedAt: Timestamp
    private let content = Mutex(Content())

    package init(count: Int, world: World) {
        self.count = count
        self.world = world
        bootedAt = world.now
    }

    package func reports() async throws -> [HostReport] {
        (0..<count).map { number in
            let name = Self.name(number)
            return HostReport(
                name: name, id: Self.id(of: name), isUp: true, lastSeen: world.now, hypervisorVersion: 1_000_000,
                processors: ["arch": "x86_64"], vcpus: 16, memoryMiB: 65_536, diskGiB: 1024, bootedAt: bootedAt)
        }
    }

    var all: [(name: String, id: String)] { (0..<count).map { (Self.name($0), Self.id(of: Self.name($0))) } }

    private static func name(_ number: Int) -> String { "host-\(number + 1)" }
    private static func id(of name: String) -> String { UUIDText.derived(from: name, in: "6a3c1d1e-0f0b-4c6f-9f3e-5a1e6b6d7c10") }

    /// All machines, by host.
    package var machines: [String: [Machine]] {
        content.withLock { $0.machines.mapValues { $0.values.sorted { $0.order.id < $1.order.id } } }
    }

    package var snapshots: [String: Set<String>] { content.withLock { $0.snapshots.filter { !$0.value.isEmpty } } }

    // MARK: Machines

    private func change<Value: Sendable>(
        _ id: String, _ host: String, _ fence: MachineFence, _ body: (inout Content) throws -> sending Value
    ) throws -> Value {
        try content.withLock { content in
            if let seen = content.fences[id], fence.epoch < seen.epoch || fence.generation < seen.generation {
                throw CloudError(
                    .conflict, "The change was overtaken by a newer one.", detail: "\(id): \(fence) after \(seen)", code: "stale_change")
            }
            // A call without an epoch of its own is no owner's.
            if fence.epoch != .max { content.fences[id] = fence }
            return try body(&content)
        }
    }

    private static func refuse(_ order: MachineOrder?, _ fault: Fault) throws {
        guard order?.metadata["simulate:fail"] == fault.rawValue else { return }
        throw CloudError(.conflict, "The host refused.", detail: "a simulated fault: \(fault.rawValue)")
    }

    package func ensure(_ order: MachineOrder, on host: String, fence: MachineFence) async throws {
        try change(order.id, host, fence) { content in
            try Self.refuse(order, .build)
            var machine = content.machines[host]?[order.id] ?? Machine(order: order, power: .off, fence: fence)
            machine.order = order
            machine.fence = fence
            content.machines[host, default: [:]][order.id] = machine
        }
    }

    package func remove(_ id: String, on host: String, fence: MachineFence) async throws {
        try change(id, host, fence) { $0.machines[host]?[id] = nil }
    }

    @discardableResult
    package func command(_ id: String, _ command: MachineCommand, on host: String, fence: MachineFence) async throws -> MachinePower {
        try change(id, host, fence) { content in
            guard var machine = content.machines[host]?[id] else { throw CloudError.notFound("machine", id) }
            if command != .stop(graceSeconds: 0) { try Self.refuse(machine.order, .command) }
            switch command {
            case .start, .unpause, .resume:
                if machine.power == .off { machine.boots += 1 }
                machine.power = .running
            case .stop: machine.power = .off
            case .rebootSoft, .rebootHard:
                machine.power = .running
                machine.boots += 1
            case .pause: machine.power = .paused
            case .suspend: machine.power = .suspended
            }
            content.machines[host]?[id] = machine
            return machine.power
        }
    }

    package func setPassword(_ password: Secret, of id: String, on host: String, fence: MachineFence) async throws {
        _ = try machine(id, host)
    }

    private func machine(_ id: String, _ host: String) throws -> Machine {
        guard let machine = content.withLock({ $0.machines[host]?[id] }) else { throw CloudError.notFound("machine", id) }
        return machine
    }

    package func snapshot(_ id: String, as snapshot: String, on host: String, fence: MachineFence) async throws -> MachineSnapshot {
        try change(id, host, fence) { content in
            guard let machine = content.machines[host]?[id] else { throw CloudError.notFound("machine", id) }
            content.snapshots[host, default: []].insert(snapshot)
            try Self.refuse(machine.order, .snapshot)
            return MachineSnapshot(
                path: "/simulated/\(snapshot)", format: "raw", virtualBytes: Int64(machine.order.rootGiB) << 30, sizeBytes: 512)
        }
    }

    /// The bytes of a snapshot: the machine's name, for there is nothing else.
    func open(_ snapshot: MachineSnapshot, on host: String) -> AsyncStream<ByteBuffer> {
        AsyncStream { continuation in
            continuation.yield(ByteBuffer(repeating: 0, count: Int(snapshot.sizeBytes)))
            continuation.finish()
        }
    }

    package func removeSnapshot(_ snapshot: String, on host: String) async throws {
        content.withLock { _ = $0.snapshots[host]?.remove(snapshot) }
    }

    package func consoleOutput(_ id: String, on host: String, lines: Int?) async throws -> String {
        let machine = try machine(id, host)
        let all = (0..<20).map { "[    \($0).000000] \(machine.order.hostname): boot \(machine.boots), simulated line \($0)" } + ["login: "]
        return all.suffix(lines ?? all.count).joined(separator: "\n")
    }

    package func diagnostics(_ id: String, on host: String) async throws -> JSONObject {
        let order = try machine(id, host).order
        return [
            "state": "running", "driver": "libvirt", "hypervisor": "qemu", "hypervisor_os": "linux", "num_cpus": .integer(Int64(order.vcpus)),
            "num_disks": 1, "num_nics": .integer(Int64(order.ports.count)), "config_drive": .bool(order.hasConfigDrive),
            "memory_details": ["maximum": .integer(Int64(order.memoryMiB)), "used": 0],
        ]
    }
}
