import CLibvirt
import CloudCore
import Drivers
import Foundation
package import HostModel

extension LibvirtDriver {
    package func capabilities() async throws -> HostCapabilities {
        let (acceleration, users) = (acceleration, users)
        return try await connection.run { calls in
            var version: UInt = 0
            try calls.check("ask for the version", calls.functions.virConnectGetVersion(calls.connection, &version))
            let text = calls.text(calls.functions.virConnectGetCapabilities(calls.connection)) ?? ""
            var guests: [HostCapabilities.Guest] = []
            for architecture in Architecture.allCases where text.contains("<arch name='\(architecture.rawValue)'>") {
                let part = text.components(separatedBy: "<arch name='\(architecture.rawValue)'>").dropFirst().first ?? ""
                let own = part.components(separatedBy: "</arch>").first ?? ""
                let machines = Set(own.matches(of: /<machine[^>]*>([^<]+)<\/machine>/).map { String($0.1) })
                let most = own.firstMatch(of: /maxCpus='([0-9]+)'/).flatMap { Int($0.1) }
                guests.append(
                    .init(
                        architecture: architecture, machineTypes: machines.sorted(), cpuModels: Self.models(architecture, calls),
                        mostCPUs: most ?? 255))
            }
            return HostCapabilities(
                hypervisor: "QEMU \(version / 1_000_000).\(version / 1000 % 1000).\(version % 1000)", acceleration: acceleration,
                guests: guests, guestUser: users.reason)
        }
    }

    private static func models(_ architecture: Architecture, _ calls: LibvirtConnection.Calls) -> [String] {
        var list: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?
        let count = calls.functions.virConnectGetCPUModelNames(calls.connection, architecture.rawValue, &list, 0)
        guard count >= 0, let list else {
            calls.functions.virResetLastError()
            return []
        }
        defer { free(list) }
        return (0..<Int(count)).compactMap { calls.text(list[$0]) }
    }

    package func resources() async throws -> HostResources {
        let folder = settings.folder
        return try await connection.detached(within: .seconds(30)) {
            var disk = statvfs()
            guard statvfs(folder, &disk) == 0 else { throw DurableFile.failure("measure", folder) }
            let memory = try String(contentsOfFile: "/proc/meminfo", encoding: .utf8)
            func mebibytes(_ name: String) -> Int64 {
                let line = memory.split(separator: "\n").first { $0.hasPrefix(name + ":") }
                return (line?.split(separator: " ").dropFirst().first.flatMap { Int64($0) } ?? 0) / 1024
            }
            return HostResources(
                hostName: ProcessInfo.processInfo.hostName, cpus: sysconf(Int32(_SC_NPROCESSORS_ONLN)), memoryMiB: mebibytes("MemTotal"),
                freeMemoryMiB: mebibytes("MemAvailable"), diskBytes: Int64(disk.f_blocks) * Int64(disk.f_frsize),
                freeDiskBytes: Int64(disk.f_bavail) * Int64(disk.f_frsize))
        }
    }

    package func consoleOutput(_ id: MachineID, mostBytes: Int) async throws -> ConsoleOutput {
        _ = try machine(id)
        return try await connection.detached(within: .seconds(30)) { [self] in console(id).tail(mostBytes) }
    }

    package func display(_ id: MachineID) async throws -> DisplayEndpoint {
        _ = try machine(id)
        return try await connection.run { calls in
            let domains = Domains(calls: calls)
            guard try domains.state(id)?.isActive == true,
                let socket = try domains.document(id).firstMatch(of: /<listen type='socket' socket='([^']+)'/)
            else { throw CloudError.conflict("The machine has no screen now.") }
            return .unixSocket(path: String(socket.1))
        }
    }

    package func diagnostics(_ id: MachineID) async throws -> MachineDiagnostics {
        let machine = try machine(id)
        return try await connection.run { calls in
            let domains = Domains(calls: calls)
            let power = try domains.state(id)?.power ?? .off
            let numbers = try domains.statistics(id)
            let spec = machine.spec.asStarted
            var found = MachineDiagnostics(power: power, hypervisor: "libvirt", memoryMiB: Int64(spec.memoryMiB))
            found.cpuNanoseconds = (0..<spec.cpu.count).map { numbers["vcpu.\($0).time"] ?? 0 }
            if let available = numbers["balloon.available"], let unused = numbers["balloon.unused"] {
                found.usedMemoryMiB = (available - unused) / 1024
            } else {
                found.usedMemoryMiB = (numbers["balloon.rss"] ?? 0) / 1024
            }
            func traffic(_ id: String, _ prefix: String, _ names: [String]) -> MachineDiagnostics.Traffic {
                let values = names.map { numbers["\(prefix).\($0)"] ?? 0 }
                return .init(id: id, readBytes: values[0], writtenBytes: values[1], readOperations: values[2], writtenOperations: values[3])
            }
            found.disks = spec.disks.enumerated().map { traffic($1.id, "block.\($0)", ["rd.bytes", "wr.bytes", "rd.reqs", "wr.reqs"]) }
            found.nics = spec.nics.enumerated().map { traffic($1.id, "net.\($0)", ["rx.bytes", "tx.bytes", "rx.pkts", "tx.pkts"]) }
            return found
        }
    }
}

extension Domains {
    /// Returns libvirt's figures of a domain, by their names (virConnectGetAllDomainStats).
    func statistics(_ id: MachineID) throws -> [String: Int64] {
        try with(id) { domain in
            var list: [OpaquePointer?] = [domain, nil]
            var records: UnsafeMutablePointer<virDomainStatsRecordPtr?>?
            try calls.check("ask for the numbers of \(id)", calls.functions.virDomainListGetStats(&list, 0, &records, 0))
            guard let records else { return [:] }
            defer { calls.functions.virDomainStatsRecordListFree(records) }
            guard let record = records[0] else { return [:] }
            var numbers: [String: Int64] = [:]
            for at in 0..<Int(record.pointee.nparams) {
                let parameter = record.pointee.params[at]
                let name = withUnsafeBytes(of: parameter.field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
                switch virTypedParameterType(rawValue: UInt32(bitPattern: parameter.type)) {
                case VIR_TYPED_PARAM_INT: numbers[name] = Int64(parameter.value.i)
                case VIR_TYPED_PARAM_UINT: numbers[name] = Int64(parameter.value.ui)
                case VIR_TYPED_PARAM_LLONG: numbers[name] = parameter.value.l
                case VIR_TYPED_PARAM_ULLONG: numbers[name] = Int64(clamping: parameter.value.ul)
                default: break
                }
            }
            return numbers
        }
    }
}
