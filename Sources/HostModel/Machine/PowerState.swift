/// What a machine does, as it was found.
package enum PowerState: String, Hashable, Sendable, Codable, CaseIterable {
    case off, running, paused
    /// The memory lies on the disk. A start goes on from there.
    case suspended
    case crashed
}

/// What a machine is to do.
package enum WantedPower: Hashable, Sendable, Codable {
    case running
    /// The guest is asked to stop, and is stopped if it has not stopped after so many seconds. Nought does not ask.
    case off(graceSeconds: Int)
    case paused
    case suspended

    package static let off = WantedPower.off(graceSeconds: 0)
}

/// How a machine is started again.
package enum RebootKind: String, Hashable, Sendable, Codable {
    /// The guest is asked to start again, and is reset if it does not within a minute.
    case soft
    /// The machine is reset, and has the devices that are wanted now.
    case hard
}
