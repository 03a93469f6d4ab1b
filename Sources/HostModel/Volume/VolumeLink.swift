/// The connection of a volume to a machine, with the host that has the volume's bytes.
package struct VolumeLink: Sendable, Hashable {
    package var volume: VolumeID
    package var host: String
    package var connection: VolumeConnection
    /// The bounds on the machine's use of the volume; nil for none.
    package var rates: DiskRates?

    package init(volume: VolumeID, host: String, connection: VolumeConnection) {
        self.volume = volume
        self.host = host
        self.connection = connection
    }
}
