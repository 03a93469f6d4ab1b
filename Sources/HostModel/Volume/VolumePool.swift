/// A pool of volumes on a host.
package struct VolumePool: Hashable, Sendable, Codable {
    package var name: String
    package var totalBytes: Int64
    package var freeBytes: Int64
    /// The sizes of all volumes and snapshots together, whatever space they take.
    package var provisionedBytes: Int64
    package var bounds: Bounds
    package var abilities: Set<Ability>

    package init(
        name: String, totalBytes: Int64, freeBytes: Int64, provisionedBytes: Int64, bounds: Bounds = Bounds(),
        abilities: Set<Ability> = []
    ) {
        self.name = name
        self.totalBytes = totalBytes
        self.freeBytes = freeBytes
        self.provisionedBytes = provisionedBytes
        self.bounds = bounds
        self.abilities = abilities
    }

    /// The bounds on what a pool promises.
    package struct Bounds: Hashable, Sendable, Codable {
        /// The most bytes that volumes may have together, as a multiple of the pool's total.
        package var overSubscription = 20.0
        /// The percentage of used space from which schedulers should leave the pool alone and operators are warned.
        package var softPercent = 80
        /// The percentage of used space from which the pool refuses new volumes and snapshots.
        package var hardPercent = 90

        package init() {}
    }

    package enum Ability: String, Hashable, Sendable, Codable, CaseIterable {
        case thin, thick
        /// Several machines may use a volume at the same time.
        case multiattach
        /// The rates of a volume's use can be limited.
        case qos
        /// Copies of volumes share their bytes, and are made at once at any size.
        case cheapClone
        case revert
        /// A volume can grow while a guest uses it.
        case onlineExtend
        /// Blocks that a guest discards are free again.
        case discard
        /// Machines of every host can use the volumes, and not only those of the pool's own host.
        case everyHost
        /// Existing files can become volumes, and the other way round.
        case manage
    }

    /// The percentage of the pool's space that is used.
    package var usedPercent: Int {
        guard totalBytes > 0 else { return 100 }
        return Int(((Double(totalBytes) - Double(freeBytes)) / Double(totalBytes) * 100).rounded(.up))
    }

    package var isAboveSoftLimit: Bool { usedPercent >= bounds.softPercent }
    package var isAboveHardLimit: Bool { usedPercent >= bounds.hardPercent }

    /// The code of the error of a pool that refuses a volume because of its limits.
    package static let fullCode = "pool_full"
}
