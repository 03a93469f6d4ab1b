import CloudCore
import HostModel

/// The filters of pools. Each says why a pool does not serve; nil if it does.
enum PoolFilters {
    typealias Filter = @Sendable (PoolState, PoolWish) -> String?

    static let all: [Filter] = [isUp, isOpen, isWanted, isNear, isInZone, isCapable, hasRoom]

    private static let isUp: Filter = { pool, _ in pool.report.isUp ? nil : "its host does not answer" }

    private static let isOpen: Filter = { pool, _ in
        if pool.host?.isDisabled == true { return "its host is disabled" }
        if pool.host?.isFrozen == true { return "its host is frozen" }
        return nil
    }

    private static let isWanted: Filter = { pool, wish in
        if let only = wish.only, only != pool.name.host { return "the content of the volume is on the host \(only)" }
        if let place = wish.place, place != pool.name.text { return "another pool was asked for" }
        return wish.former == pool.name ? "the volume is there already" : nil
    }

    private static let isNear: Filter = { pool, wish in
        if let same = wish.sameAs, !same.contains(pool.name.text) { return "it has none of the volumes of same_host" }
        return wish.differentFrom.contains(pool.name.text) ? "it has a volume of different_host" : nil
    }

    private static let isInZone: Filter = { pool, wish in
        guard let zones = wish.zones, !zones.contains(pool.report.zone) else { return nil }
        return "it is in the zone \(pool.report.zone)"
    }

    private static let isCapable: Filter = { pool, wish in
        if wish.isShared, !pool.report.pool.abilities.contains(.multiattach) { return "it has no multiattach" }
        for (key, value) in wish.types.flatMap(\.extraSpecs.members) {
            guard let wanted = value.string else { continue }
            // A name with a prefix is for the driver, unless the prefix is `capabilities`.
            let parts = key.split(separator: ":", maxSplits: 1).map(String.init)
            guard parts.count == 1 || parts[0] == "capabilities", let name = parts.last else { continue }
            guard !PoolCapabilities.ofTypes.contains(name) else { continue }
            guard let present = PoolCapabilities.value(name, of: pool) else { return "it does not report '\(name)'" }
            if !SpecMatch.matches(present, wanted) { return "its '\(name)' is '\(present)' and not '\(wanted)'" }
        }
        return nil
    }

    private static let hasRoom: Filter = { pool, wish in
        if pool.report.pool.isAboveHardLimit { return "it is full: \(pool.report.pool.usedPercent)% are used" }
        let most = pool.mostProvisionedGiB
        let provisioned = pool.provisionedGiB + (wish.isCounted ? 0 : wish.size)
        if provisioned > most { return "its volumes would have \(provisioned) GiB and may have \(most)" }
        return nil
    }
}
