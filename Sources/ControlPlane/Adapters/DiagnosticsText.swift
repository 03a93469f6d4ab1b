import CloudCore
import HostModel

/// The diagnostics of a machine in the API's words.
enum DiagnosticsText {
    /// Returns the diagnostics of microversions before 2.48: keyed by the names of devices, as the reference takes them
    /// from libvirt. Disk errors are not counted.
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
                ("read", one.readBytes), ("read_req", one.readOperations),
                ("write", one.writtenBytes), ("write_req", one.writtenOperations), ("errors", -1),
            ] { members["\(name)_\(what)"] = .integer(value) }
        }
        for card in spec.nics {
            guard let one = found.nics.first(where: { $0.id == card.id }) else { continue }
            for (what, bytes, packets) in [
                ("rx", one.readBytes, one.readOperations), ("tx", one.writtenBytes, one.writtenOperations),
            ] {
                members["\(card.tap)_\(what)"] = .integer(bytes)
                members["\(card.tap)_\(what)_packets"] = .integer(packets)
                for name in ["errors", "drop"] { members["\(card.tap)_\(what)_\(name)"] = 0 }
            }
        }
        return members
    }

    /// Returns the diagnostics since microversion 2.48, in words for every hypervisor.
    static func uniform(_ found: MachineDiagnostics, _ spec: MachineSpec) -> JSONObject {
        func traffic(_ one: MachineDiagnostics.Traffic) -> JSON {
            [
                "read_bytes": .integer(one.readBytes), "read_requests": .integer(one.readOperations),
                "write_bytes": .integer(one.writtenBytes), "write_requests": .integer(one.writtenOperations),
                "errors_count": -1,
            ]
        }
        func card(_ one: MachineDiagnostics.Traffic) -> JSON {
            [
                "mac_address": .string(spec.nics.first { $0.id == one.id }?.mac ?? ""),
                "rx_octets": .integer(one.readBytes), "rx_packets": .integer(one.readOperations),
                "rx_errors": 0, "rx_drop": 0, "rx_rate": nil,
                "tx_octets": .integer(one.writtenBytes), "tx_packets": .integer(one.writtenOperations),
                "tx_errors": 0, "tx_drop": 0, "tx_rate": nil,
            ]
        }
        let processors = found.cpuNanoseconds.enumerated().map { number, time -> JSON in
            ["id": .integer(Int64(number)), "time": .integer(time), "utilisation": nil]
        }
        return [
            "state": .string(word(found.power)), "driver": "libvirt", "hypervisor": .string(found.hypervisor),
            "hypervisor_os": "linux", "uptime": nil,
            "config_drive": .bool(spec.disks.contains { $0.id == Disk.configDriveID }),
            "num_cpus": .integer(Int64(spec.cpu.count)), "num_disks": .integer(Int64(spec.disks.count)),
            "num_nics": .integer(Int64(spec.nics.count)),
            "memory_details": ["maximum": .integer(found.memoryMiB), "used": .integer(found.usedMemoryMiB)],
            "cpu_details": .array(processors), "disk_details": .array(found.disks.map(traffic)),
            "nic_details": .array(found.nics.map(card)),
        ]
    }

    private static func word(_ power: PowerState) -> String {
        switch power {
        case .running: "running"
        case .paused: "paused"
        case .off: "shutdown"
        case .crashed: "crashed"
        case .suspended: "suspended"
        }
    }
}
