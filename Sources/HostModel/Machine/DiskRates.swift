/// The bounds on a machine's use of a disk, as QEMU keeps them (Cinder's front-end QoS).
package struct DiskRates: Hashable, Sendable, Codable {
    /// The bytes of a second.
    package var bytes = Bound()
    /// The bytes of a second while the machine uses up what it has saved.
    package var burstBytes = Bound()
    /// The operations of a second.
    package var operations = Bound()
    /// The operations of a second while the machine uses up what it has saved.
    package var burstOperations = Bound()
    /// The bytes that count as one operation; nil if every operation counts as one.
    package var operationBytes: Int64?

    package init() {}

    /// A bound on reads and writes: on both together or on each, never both.
    package struct Bound: Hashable, Sendable, Codable {
        package var total: Int64?
        package var read: Int64?
        package var write: Int64?

        package init(total: Int64? = nil, read: Int64? = nil, write: Int64? = nil) {
            self.total = total
            self.read = read
            self.write = write
        }
    }
}
