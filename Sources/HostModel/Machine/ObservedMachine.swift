package import CloudCore

/// A machine as a driver found it. The wanted state is never a part of this value.
package struct ObservedMachine: Hashable, Sendable, Codable {
    package var id: MachineID
    package var power: PowerState
    /// The fence of the newest change that the driver took for the machine.
    package var fence: Fence
    /// The number of starts. A console's token is valid for one of them.
    package var boots: Int64
    /// The reason why the machine is off or paused, for people; nil if there is nothing to say.
    package var reason: String?
    /// The ids of the disks that have no room for what the guest has written. The machine is paused until they have.
    @Defaulted<Default.EmptyList<String>> package var fullDisks: [String] = []

    package init(id: MachineID, power: PowerState, fence: Fence, boots: Int64 = 0, reason: String? = nil) {
        self.id = id
        self.power = power
        self.fence = fence
        self.boots = boots
        self.reason = reason
    }
}

/// News of a machine. An event is only a nudge and may be lost; a reader that must be certain asks the driver.
package struct MachineEvent: Hashable, Sendable, Codable {
    package enum Kind: String, Hashable, Sendable, Codable {
        case defined, started, paused, resumed, suspended, removed
        /// The machine stopped: by the driver, or by the guest itself.
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

/// The end of the guest's output on its serial port. The guest chose the bytes, so they are neither valid text nor
/// HTML.
package struct ConsoleOutput: Hashable, Sendable, Codable {
    package var bytes: [UInt8]
    /// Whether earlier output is left out.
    package var isCut: Bool

    package init(bytes: [UInt8], isCut: Bool) {
        self.bytes = bytes
        self.isCut = isCut
    }

    /// Returns the last lines as UTF-8, with invalid bytes replaced.
    package func text(lines: Int? = nil) -> String {
        guard let lines else { return String(decoding: bytes, as: UTF8.self) }
        let ends = bytes.dropLast(bytes.last == 10 ? 1 : 0).indices.filter { bytes[$0] == 10 }
        guard lines > 0 else { return "" }
        let start = ends.count >= lines ? ends[ends.count - lines] + 1 : 0
        return String(decoding: bytes[start...], as: UTF8.self)
    }
}

/// The address at which a VNC client on the same host reaches a machine's screen.
package enum DisplayEndpoint: Hashable, Sendable, Codable {
    case unixSocket(path: String)
    case loopback(port: Int)
}
