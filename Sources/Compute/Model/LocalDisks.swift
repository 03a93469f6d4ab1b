import CloudCore

/// The local disks that a server's user has described. They replace the disks that the flavor gives.
struct LocalDisks: Sendable, Codable, Equatable {
    /// An empty disk.
    struct Empty: Sendable, Codable, Equatable {
        /// The size in GiB; nil for the size that the flavor has.
        var sizeGiB: Int?
        var bus: String?
    }

    struct Swap: Sendable, Codable, Equatable {
        /// The size in MiB; nil for the size that the flavor has.
        var sizeMiB: Int?
        var bus: String?
    }

    var rootBus: String?
    /// The ephemeral disks; nil for the flavor's.
    var ephemeral: [Empty]?
    /// The swap disk; nil for the flavor's.
    var swap: Swap?

    /// The number of disks that the user has described.
    var count: Int { (ephemeral?.count ?? 0) + (swap == nil ? 0 : 1) }

    /// The most local disks that one server has, with its root disk.
    static let most = Limits.thing.localDisks.most

    /// Returns the same disks with the flavor's sizes where none are given. An ephemeral disk of size zero is left out.
    ///
    /// - Throws: `badRequest` if the sizes exceed the flavor's, or there are more disks than `most`.
    func filled(from flavor: Flavor) throws -> LocalDisks {
        var filled = self
        if let ephemeral {
            filled.ephemeral = ephemeral.map { Empty(sizeGiB: $0.sizeGiB ?? flavor.ephemeralGiB, bus: $0.bus) }.filter { $0.sizeGiB != 0 }
        }
        if let swap { filled.swap = Swap(sizeMiB: swap.sizeMiB ?? flavor.swapMiB, bus: swap.bus) }
        try filled.requireRoom(in: flavor)
        let count = 1 + (filled.ephemeral?.count ?? (flavor.ephemeralGiB > 0 ? 1 : 0)) + (filled.swapMiB(flavor) > 0 ? 1 : 0)
        guard count <= Self.most else {
            throw CloudError.badRequest("Block Device Mapping is Invalid: a server has at most \(Self.most) local disks.")
        }
        return filled
    }

    /// Checks that the sizes do not exceed the flavor's.
    ///
    /// - Throws: `badRequest` if they do.
    func requireRoom(in flavor: Flavor) throws {
        let wanted = (ephemeral ?? []).reduce(0) { $0 + ($1.sizeGiB ?? 0) }
        if wanted > flavor.ephemeralGiB {
            throw CloudError.badRequest(
                "The ephemeral disks that are requested have \(wanted) GiB, the flavor allows \(flavor.ephemeralGiB). One without a size is as large as the flavor's.")
        }
        if let size = swap?.sizeMiB, size > flavor.swapMiB {
            throw CloudError.badRequest("The swap that is requested has \(size) MiB, the flavor allows \(flavor.swapMiB).")
        }
    }

    func swapMiB(_ flavor: Flavor) -> Int { swap?.sizeMiB ?? flavor.swapMiB }
}
