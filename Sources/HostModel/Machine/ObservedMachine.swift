package import CloudCore

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
