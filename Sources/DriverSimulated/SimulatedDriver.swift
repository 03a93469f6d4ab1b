import CloudCore
import Drivers
package import HostModel

/// A driver of a simulated host. It stores nothing itself, so a second driver of the same host sees the same machines.
package struct SimulatedDriver: MachineDriver {
    let host: SimulatedHost

    package var kind: String { "simulated" }

    package func capabilities() async throws -> HostCapabilities {
        try host.requireReach()
        return HostCapabilities(
            hypervisor: "simulated 1.0", acceleration: .simulated,
            guests: Architecture.allCases.map {
                .init(architecture: $0, machineTypes: [$0 == .x86_64 ? "q35" : "virt"], cpuModels: ["simulated"], mostCPUs: 512)
            }, guestUser: "nobody: there are no guests")
    }

    package func resources() async throws -> HostResources {
        try host.requireReach()
        let machines = host.records.all.map(\.value)
        let memory = machines.filter(\.power.isUp).reduce(0) { $0 + Int64($1.spec.memoryMiB) }
        let disk = machines.flatMap(\.spec.disks).reduce(0) { $0 + ($1.isLocal ? $1.virtualBytes ?? 0 : 0) }
        let settings = host.settings
        return HostResources(
            hostName: host.name, cpus: settings.cpus, memoryMiB: settings.memoryMiB, freeMemoryMiB: max(0, settings.memoryMiB - memory),
            diskBytes: settings.diskBytes, freeDiskBytes: max(0, settings.diskBytes - disk))
    }

    package func list() async throws -> [ObservedMachine] {
        try host.requireReach()
        return host.records.all.map { observed($0.value, $0.fence) }
    }

    package func observe(_ id: MachineID) async throws -> ObservedMachine? {
        try host.requireReach()
        return host.records.value(id.text).map { observed($0, host.records.fence(id.text)) }
    }

    @discardableResult
    package func ensure(_ spec: MachineSpec, fence: Fence) async throws -> ObservedMachine {
        try spec.check()
        return try await host.lanes.run(spec.id) {
            try host.requireReach()
            var machine = host.records.value(spec.id.text)
            if machine?.spec != spec {
                try await host.work(machine)
                // The record is read again, because the machine may have stopped by itself meanwhile.
                let isNew = host.records.value(spec.id.text) == nil
                machine = host.records.value(spec.id.text) ?? SimulatedMachine(spec: spec)
                machine?.spec = spec
                let changed = machine ?? SimulatedMachine(spec: spec)
                try host.records.put(spec.id.text, fence, changed)
                if isNew { host.send(.defined, changed) }
            } else {
                try host.records.admit(spec.id.text, fence)
            }
            return try current(spec.id)
        }
    }

    package func remove(_ id: MachineID, fence: Fence) async throws {
        guard id.isUUID else { return }
        try await host.lanes.run(id) {
            try host.requireReach()
            try host.records.admit(id.text, fence)
            let machine = host.records.value(id.text)
            if machine != nil { try await host.work(machine) }
            try host.records.remove(id.text, fence)
            if let machine { host.send(.removed, machine) }
        }
    }

    @discardableResult
    package func setPower(_ id: MachineID, to wanted: WantedPower, fence: Fence) async throws -> ObservedMachine {
        switch wanted {
        case .running: try await change(id, fence) { try await start($0) }
        case .off(let grace): try await change(id, fence) { try await stop($0, graceSeconds: grace) }
        case .paused: try await pause(id, fence: fence)
        case .suspended: try await suspend(id, fence: fence)
        }
    }

    private func stop(_ machine: SimulatedMachine, graceSeconds: Int) async throws {
        guard machine.power != .off else { return }
        let asks = graceSeconds > 0 && machine.power == .running
        if asks, machine.spec.faults.contains(.ignoresShutdown) {
            try await host.settings.clock.sleep(for: host.settings.delay.upperBound * graceSeconds)
        }
        try host.records.update(machine.spec.id.text) { machine in
            if machine.power != .off { machine.stop(as: .off, reason: asks ? "the guest stopped" : "powered off") }
        }
        host.send(.stopped, machine)
    }

    func start(_ machine: SimulatedMachine) async throws {
        guard machine.power != .running else { return }
        let id = machine.spec.id.text
        if machine.spec.faults.contains(.bootFails) {
            throw CloudError(.unavailable, "The machine could not be started.", detail: "simulated: boot-fails", code: "boot_failed")
        }
        try host.records.update(id) { $0.start() }
        host.send(machine.power == .off || machine.power == .crashed ? .started : .resumed, machine)
        if machine.spec.faults.contains(.crashes) { try host.guestStops(machine.spec.id, crashing: true) }
        if machine.spec.faults.contains(.agentLost), machine.boots == 0 { throw SimulatedHost.unreachable(host.name) }
    }

    @discardableResult
    package func reboot(_ id: MachineID, _ kind: RebootKind, fence: Fence) async throws -> ObservedMachine {
        try await change(id, fence) { machine in
            guard machine.power == .running else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
            try host.records.update(id.text) { $0.reboot(kind) }
            host.send(.rebooted, machine)
        }
    }

    package func consoleOutput(_ id: MachineID, mostBytes: Int) async throws -> ConsoleOutput {
        let bytes = Array(try machine(id).console.utf8)
        return ConsoleOutput(bytes: Array(bytes.suffix(max(0, mostBytes))), isCut: bytes.count > mostBytes)
    }

    package func display(_ id: MachineID) async throws -> DisplayEndpoint {
        let machine = try machine(id)
        guard machine.power.isUp else { throw CloudError.conflict("The machine is \(machine.power.rawValue).") }
        // Nobody listens at this path, because a simulated guest has nothing to show.
        return .unixSocket(path: "/run/novella-simulated/\(host.name)/\(id).vnc")
    }

    package func diagnostics(_ id: MachineID) async throws -> MachineDiagnostics {
        let machine = try machine(id)
        return MachineDiagnostics(
            power: machine.power, hypervisor: "simulated",
            cpuNanoseconds: Array(repeating: machine.boots * 1_000_000_000, count: machine.spec.cpu.count),
            memoryMiB: Int64(machine.spec.memoryMiB), usedMemoryMiB: machine.power.isUp ? Int64(machine.spec.memoryMiB / 2) : 0,
            disks: machine.spec.asStarted.disks.map { .init(id: $0.id, readBytes: 0, writtenBytes: 0, readOperations: 0, writtenOperations: 0) },
            nics: machine.spec.nics.map { .init(id: $0.id, readBytes: 0, writtenBytes: 0, readOperations: 0, writtenOperations: 0) })
    }

    package func events() -> AsyncStream<MachineEvent> { host.hub.listen() }

    package func collectGarbage() async throws {}

    // MARK: - What all changes share

    private func machine(_ id: MachineID) throws -> SimulatedMachine {
        try host.requireReach()
        guard let machine = host.records.value(id.text) else { throw notFound(id) }
        return machine
    }

    func current(_ id: MachineID) throws -> ObservedMachine {
        observed(try machine(id), host.records.fence(id.text))
    }

    private func observed(_ machine: SimulatedMachine, _ fence: Fence) -> ObservedMachine {
        var found = ObservedMachine(
            id: machine.spec.id, power: machine.power, fence: fence, boots: machine.boots, reason: machine.reason)
        found.fullDisks = machine.fullDisks
        return found
    }

    /// Takes the change, waits for its duration, and carries it out. `body` gets the machine as it is then.
    @discardableResult
    func change(
        _ id: MachineID, _ fence: Fence, _ body: (SimulatedMachine) async throws -> Void
    ) async throws -> ObservedMachine {
        try await host.lanes.run(id) {
            let machine = try machine(id)
            try host.records.admit(id.text, fence)
            try await host.work(machine)
            try await body(try self.machine(id))
            return try current(id)
        }
    }
}
