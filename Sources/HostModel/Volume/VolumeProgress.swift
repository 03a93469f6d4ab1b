/// The progress of bytes that a host copies: into a volume, a snapshot or an export.
package enum VolumeProgress: Hashable, Sendable, Codable {
    /// The host copies the bytes, beside all calls. If the host is interrupted, it begins the copy again by itself.
    case copying(percent: Int)
    /// All bytes are there, and outlast a power cut.
    case whole
    /// The copy has failed, and the host does not try again until it is asked to.
    case failed(AgentProblem)

    package var isWhole: Bool { self == .whole }
}
