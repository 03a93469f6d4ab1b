package import CloudCore

/// What a machine is doing, in words that Nova's power states can be told from.
package enum PowerState: String, Hashable, Sendable, Codable, CaseIterable {
    case off, running, paused
    /// Its memory lies on the disk; a start goes on from there.
    case suspended
    case crashed
}

/// A machine as a driver found it. What is wanted of it is elsewhere: the two are never one value.
package struct ObservedMachine: Hashable, Sendable, Codable {
    package var id: MachineID
    package var power: PowerState
    /// The newest change that the driver took for it.
    package var fence: Fence
    /// Counts the starts. A console's token belongs to one of them.
    package var boots: Int64
    /// Why it is off or paused, for people; nil when there is nothing to say.
    package var reason: String?

    package init(id: MachineID, power: PowerState, fence: Fence, boots: Int64 = 0, reason: String? = nil) {
        self.id = id
        self.power = power
        self.fence = fence
        self.boots = boots
        self.reason = reason
    }
}

/// News of a machine. It is a nudge: one may be lost, and who must know asks the driver.
package struct MachineEvent: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case defined, started, paused, resumed, suspended, removed
        /// By the driver, or by the guest itself.
        case stopped, guestStopped, crashed, rebooted
    }

    package var machine: MachineID
    package var kind: Kind
    package var at: Timestamp

    package init(machine: MachineID, kind: Kind, at: Timestamp) {
        self.machine = machine
        self.kind = kind
        self.at = at
    }
}

/// The end of what a guest wrote to its serial port: bytes that a guest chose, so neither text nor HTML.
package struct ConsoleOutput: Hashable, Sendable, Codable {
    package var bytes: [UInt8]
    /// Whether the guest wrote more before.
    package var isCut: Bool

    package init(bytes: [UInt8], isCut: Bool) {
        self.bytes = bytes
        self.isCut = isCut
    }

    /// The last lines as UTF-8, what is none replaced.
    package func text(lines: Int? = nil) -> String {
        guard let lines else { return String(decoding: bytes, as: UTF8.self) }
        let ends = bytes.dropLast(bytes.last == 10 ? 1 : 0).indices.filter { bytes[$0] == 10 }
        guard lines > 0 else { return "" }
        let start = ends.count >= lines ? ends[ends.count - lines] + 1 : 0
        return String(decoding: bytes[start...], as: UTF8.self)
    }
}

/// Where a VNC client reaches a machine's screen, on its host alone.
package enum DisplayEndpoint: Hashable, Sendable, Codable {
    case unixSocket(path: String)
    case loopback(port: Int)
}

/// What a machine has used since it started.
package struct MachineDiagnostics: Hashable, Sendable, Codable {
    package struct Traffic: Hashable, Sendable, Codable {
        /// A disk's or a card's id, as the specification has it.
        package var id: String
        package var readBytes: Int64
        package var writtenBytes: Int64
        package var readOperations: Int64
        package var writtenOperations: Int64

        package init(id: String, readBytes: Int64, writtenBytes: Int64, readOperations: Int64, writtenOperations: Int64) {
            self.id = id
            self.readBytes = readBytes
            self.writtenBytes = writtenBytes
            self.readOperations = readOperations
            self.writtenOperations = writtenOperations
        }
    }

    package var power: PowerState
    package var hypervisor: String
    /// Of each virtual CPU.
    package var cpuNanoseconds: [Int64]
    package var memoryMiB: Int64
    package var usedMemoryMiB: Int64
    package var disks: [Traffic]
    /// Read is received, written is sent.
    package var nics: [Traffic]

    package init(
        power: PowerState, hypervisor: String, cpuNanoseconds: [Int64] = [], memoryMiB: Int64 = 0, usedMemoryMiB: Int64 = 0,
        disks: [Traffic] = [], nics: [Traffic] = []
    ) {
        self.power = power
        self.hypervisor = hypervisor
        self.cpuNanoseconds = cpuNanoseconds
        self.memoryMiB = memoryMiB
        self.usedMemoryMiB = usedMemoryMiB
        self.disks = disks
        self.nics = nics
    }
}

/// A copy of a root disk in a file of the host, flat: no other file is needed to read it.
package struct DiskSnapshot: Hashable, StoredValue {
    package static let storedName = "agent.disk-snapshot"

    package var path: String
    package var format: String
    package var virtualBytes: Int64
    package var sizeBytes: Int64

    package init(path: String, format: String, virtualBytes: Int64, sizeBytes: Int64) {
        self.path = path
        self.format = format
        self.virtualBytes = virtualBytes
        self.sizeBytes = sizeBytes
    }
}
