/// The observed power state of a machine.
package enum PowerState: String, Hashable, Sendable, Codable, CaseIterable {
    case off, running, paused
    /// The memory is saved on the disk. The next start goes on from there.
    case suspended
    case crashed
}

/// The wanted power state of a machine.
package enum WantedPower: Hashable, Sendable, Codable {
    case running
    /// The guest is asked to stop, and is stopped if it has not done so after so many seconds. With zero it is not
    /// asked.
    case off(graceSeconds: Int)
    case paused
    case suspended

    package static let off = WantedPower.off(graceSeconds: 0)
}

/// The way of restarting a machine.
package enum RebootKind: String, Hashable, Sendable, Codable {
    /// The guest is asked to restart, and is reset if it has not done so within a minute.
    case soft
    /// The machine is reset, and gets the devices that are wanted now.
    case hard
}
