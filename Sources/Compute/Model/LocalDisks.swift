import CloudCore

/// The disks on its host that a server's user has described, in place of those that the flavor gives by itself.
struct LocalDisks: Sendable, Codable, Equatable {
    /// An empty disk.
    struct Empty: Sendable, Codable, Equatable {
        /// In GiB; nil for as much as the flavor has.
        var sizeGiB: Int?
        var bus: String?
    }

    struct Swap: Sendable, Codable, Equatable {
        /// In MiB; nil for as much as the flavor has.
        var sizeMiB: Int?
        var bus: String?
    }

    var rootBus: String?
    /// Nil for the flavor's own.
    var ephemeral: [Empty]?
    /// Nil for the flavor's own.
    var swap: Swap?

    /// The most disks on a host that one server has, with its root disk.
    static let most = 16

    /// The same with the flavor's sizes where none are given. What has no size then is no disk.
    ///
    /// - Throws: `badRequest` for more than the flavor has.
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

    /// - Throws: `badRequest` for more than the flavor has.
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
