/// The right of one machine to use a volume.
package struct VolumeConnection: Hashable, Sendable, Codable {
    package var machine: MachineID
    /// The number of the attachment. Each attachment of a volume has a higher one than those before it. A host refuses
    /// a connection that is older than the newest that it has ended for the machine.
    package var epoch: Int64
    package var isReadOnly: Bool
    /// Whether other machines may use the volume at the same time. All connections of the volume must agree.
    package var isShared: Bool

    package init(machine: MachineID, epoch: Int64, isReadOnly: Bool = false, isShared: Bool = false) {
        self.machine = machine
        self.epoch = epoch
        self.isReadOnly = isReadOnly
        self.isShared = isShared
    }

    /// The code of the error for a volume that other machines may use.
    package static let connectedCode = "volume_connected"
}
