import AgentCore
package import CloudCore
package import Compute
import Drivers

/// What Compute asks of machines, over the links to their hosts.
package struct MachinesForCompute: MachinesNeed {
    let fleet: Fleet
    let images: any MachineImages
    let configDrives: ConfigDrives

    package init(fleet: Fleet, images: any MachineImages, configDrives: ConfigDrives = .bare) {
        self.fleet = fleet
        self.images = images
        self.configDrives = configDrives
    }

    package func ensure(_ order: MachineOrder, on host: String, fence: MachineFence) async throws {
        let link = try await fleet.link(to: host)
        let id = MachineID(order.id)
        var present: MachineSpec?
        if case .wanted(let spec) = try await link.ask(.wanted(id)) { present = spec }
        let spec = try await MachineBlueprint(order: order, present: present, images: images, configDrives: configDrives).spec()
        _ = try await send("ensure", .ensure(spec, power: nil), id, link, fence)
    }

    package func move(_ order: MachineOrder, from source: String, to host: String, isLive: Bool, fence: MachineFence) async throws {
        let (old, new) = (try await fleet.link(to: source), try await fleet.link(to: host))
        let id = MachineID(order.id)
        var present: MachineSpec?
        // What was made for it on the host that it leaves stays as it is.
        for link in [old, new] { if case .wanted(let spec) = try await link.ask(.wanted(id)) { present = spec } }
        let spec = try await MachineBlueprint(order: order, present: present, images: images, configDrives: configDrives).spec()
        guard case .luggage(let luggage) = try await send("pack", .pack(isLive: isLive), id, old, fence) else {
            throw CloudError.internalError("a host answers with something else than a machine's luggage")
        }
        _ = try await send("unpack", .unpack(luggage, spec), id, new, fence)
    }

    package func remove(_ id: String, on host: String, fence: MachineFence) async throws {
        _ = try await send("remove", .remove, MachineID(id), try await fleet.link(to: host), fence)
    }

    @discardableResult
    package func command(_ id: String, _ command: MachineCommand, on host: String, fence: MachineFence) async throws -> MachinePower {
        let (word, verb): (String, AgentRequest.Verb) =
            switch command {
            case .start: ("start", .power(.running))
            case .unpause: ("unpause", .power(.running))
            case .resume: ("resume", .power(.running))
            case .stop(let grace): ("stop", .power(.off(graceSeconds: grace)))
            case .pause: ("pause", .power(.paused))
            case .suspend: ("suspend", .power(.suspended))
            case .rebootSoft: ("reboot-soft", .reboot(.soft))
            case .rebootHard: ("reboot-hard", .reboot(.hard))
            }
        guard case .machine(let machine) = try await send(word, verb, MachineID(id), try await fleet.link(to: host), fence) else {
            throw CloudError.notFound("machine", id)
        }
        return MachinePower(machine.power)
    }

    package func setPassword(_ password: Secret, of id: String, on host: String, fence: MachineFence) async throws {
        let link = try await fleet.link(to: host)
        // Nobody's epoch: who asks is no workflow, and takes the machine from none.
        guard case .machine(let machine) = try await link.ask(.observe(MachineID(id))) else { throw CloudError.notFound("machine", id) }
        _ = try await send(
            "password", .setPassword(SentSecret(password), user: "root"), machine.id, link,
            raised: Fence(epoch: machine.fence.epoch, generation: max(machine.fence.generation, fleet.era.raise(fence.generation))))
    }

    // MARK: Copies of disks

    package func snapshot(_ id: String, as snapshot: String, on host: String, fence: MachineFence) async throws -> MachineSnapshot {
        let link = try await fleet.link(to: host)
        guard case .snapshot(let copy) = try await send("snapshot", .snapshot(snapshot), MachineID(id), link, fence) else {
            throw CloudError.internalError("a host answers a snapshot with something else")
        }
        return MachineSnapshot(path: copy.path, format: copy.format, virtualBytes: copy.virtualBytes, sizeBytes: copy.sizeBytes)
    }

    package func removeSnapshot(_ snapshot: String, on host: String) async throws {
        _ = try await fleet.link(to: host).ask(.forgetSnapshot(snapshot))
    }

    // MARK: Looking

    package func consoleOutput(_ id: String, on host: String, lines: Int?) async throws -> String {
        guard case .console(let console) = try await fleet.link(to: host).ask(.console(MachineID(id), mostBytes: Self.mostConsole)) else {
            throw CloudError.notFound("machine", id)
        }
        guard let lines, lines >= 0 else { return console.text() }
        // A line that has not ended is one, as the reference counts. By bytes: a carriage return and a line feed are one Character.
        let parts = console.bytes.split(separator: 10, omittingEmptySubsequences: false).suffix(lines)
        return String(decoding: Array(parts.joined(separator: [10])), as: UTF8.self)
    }

    /// As much as the reference answers with at most.
    private static let mostConsole = 100 << 10

    package func diagnostics(_ id: String, on host: String, isUniform: Bool) async throws -> JSONObject {
        let link = try await fleet.link(to: host)
        guard case .diagnostics(let found) = try await link.ask(.diagnostics(MachineID(id))) else { throw CloudError.notFound("machine", id) }
        guard case .wanted(let spec) = try await link.ask(.wanted(MachineID(id))) else { throw CloudError.notFound("machine", id) }
        return isUniform ? DiagnosticsText.uniform(found, spec) : DiagnosticsText.named(found, spec)
    }

    // MARK: -

    private func send(
        _ word: String, _ verb: AgentRequest.Verb, _ id: MachineID, _ link: any AgentLink, _ fence: MachineFence
    ) async throws -> AgentReply {
        try await send(word, verb, id, link, raised: fleet.era.raise(fence))
    }

    /// Sends a request. The same request of the same generation has the same id, so that no reboot is done twice.
    ///
    /// - Parameter fence: in the numbers of hosts.
    private func send(
        _ word: String, _ verb: AgentRequest.Verb, _ id: MachineID, _ link: any AgentLink, raised fence: Fence
    ) async throws -> AgentReply {
        try await link.send(AgentRequest(id: "\(word)-\(fence.generation)", machine: id, fence: fence, verb))
    }
}

extension MachinePower {
    init(_ power: Drivers.PowerState) {
        self =
            switch power {
            case .off: .off
            case .running: .running
            case .paused: .paused
            case .suspended: .suspended
            case .crashed: .crashed
            }
    }
}

/// What a machine has used, in the words of the API.
enum DiagnosticsText {
    /// Before 2.48: numbers by the names of the devices, as the reference takes them from libvirt. Errors of disks are not counted.
    static func named(_ found: MachineDiagnostics, _ spec: MachineSpec) -> JSONObject {
        var members: JSONObject = ["memory": .integer(found.memoryMiB << 10)]
        for (number, time) in found.cpuNanoseconds.enumerated() { members["cpu\(number)_time"] = .integer(time) }
        var used: [String: Int] = [:]
        for disk in spec.disks {
            let bus = disk.bus ?? (disk.kind == .cdrom ? spec.hardware.cdromBus : spec.hardware.diskBus)
            let name = bus.deviceName(used[bus.deviceName(0), default: 0])
            used[bus.deviceName(0), default: 0] += 1
            guard let one = found.disks.first(where: { $0.id == disk.id }) else { continue }
            for (what, value) in [
                ("read", one.readBytes), ("read_req", one.readOperations), ("write", one.writtenBytes), ("write_req", one.writtenOperations),
                ("errors", -1),
            ] { members["\(name)_\(what)"] = .integer(value) }
        }
        for card in spec.nics {
            guard let one = found.nics.first(where: { $0.id == card.id }) else { continue }
            for (what, bytes, packets) in [("rx", one.readBytes, one.readOperations), ("tx", one.writtenBytes, one.writtenOperations)] {
                members["\(card.tap)_\(what)"] = .integer(bytes)
                members["\(card.tap)_\(what)_packets"] = .integer(packets)
                for name in ["errors", "drop"] { members["\(card.tap)_\(what)_\(name)"] = 0 }
            }
        }
        return members
    }

    /// Since 2.48.
    static func uniform(_ found: MachineDiagnostics, _ spec: MachineSpec) -> JSONObject {
        func traffic(_ one: MachineDiagnostics.Traffic) -> JSON {
            [
                "read_bytes": .integer(one.readBytes), "read_requests": .integer(one.readOperations),
                "write_bytes": .integer(one.writtenBytes), "write_requests": .integer(one.writtenOperations), "errors_count": -1,
            ]
        }
        func card(_ one: MachineDiagnostics.Traffic) -> JSON {
            [
                "mac_address": .string(spec.nics.first { $0.id == one.id }?.mac ?? ""), "rx_octets": .integer(one.readBytes),
                "rx_packets": .integer(one.readOperations), "rx_errors": 0, "rx_drop": 0, "rx_rate": nil,
                "tx_octets": .integer(one.writtenBytes), "tx_packets": .integer(one.writtenOperations), "tx_errors": 0, "tx_drop": 0, "tx_rate": nil,
            ]
        }
        let processors = found.cpuNanoseconds.enumerated().map { number, time -> JSON in
            ["id": .integer(Int64(number)), "time": .integer(time), "utilisation": nil]
        }
        return [
            "state": .string(word(found.power)), "driver": "libvirt", "hypervisor": .string(found.hypervisor), "hypervisor_os": "linux",
            "uptime": nil, "config_drive": .bool(spec.disks.contains { $0.id == MachineBlueprint.configDrive }),
            "num_cpus": .integer(Int64(spec.cpu.count)), "num_disks": .integer(Int64(spec.disks.count)),
            "num_nics": .integer(Int64(spec.nics.count)),
            "memory_details": ["maximum": .integer(found.memoryMiB), "used": .integer(found.usedMemoryMiB)],
            "cpu_details": .array(processors), "disk_details": .array(found.disks.map(traffic)), "nic_details": .array(found.nics.map(card)),
        ]
    }

    private static func word(_ power: Drivers.PowerState) -> String {
        switch power {
        case .running: "running"
        case .paused: "paused"
        case .off: "shutdown"
        case .crashed: "crashed"
        case .suspended: "suspended"
        }
    }
}
