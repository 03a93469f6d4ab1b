import CloudCore
import SQL

/// The check of a project's quotas before a transaction adds volumes or snapshots. The database keeps the use.
struct QuotaCheck: Sendable {
    /// The things that the transaction is going to add.
    struct Addition: Sendable {
        var volumes = 0
        var snapshots = 0
        var gigabytes = 0
        var groups = 0
        var backups = 0
        var backupGigabytes = 0
        /// The type whose limits count besides the limits of all types.
        var type: VolumeType?
        /// Whether only the limits of the type count, because the project has the volume already.
        var isOfTypeOnly = false
        /// The size in GiB that the error names.
        var requested = 0
        /// The thing that the error names: `volumes`, `snapshots`, `groups` or `backups`.
        var thing = QuotaResource.volumes
    }

    private let quotas = QuotaStore()

    /// Throws if the project may not have so much more.
    ///
    /// - Throws: `tooLarge` in the reference's words.
    func require(_ addition: Addition, of project: String, in tx: Transaction) throws {
        var limits = try quotas.limits(ofClass: QuotaStore.defaultClass, in: tx)
        limits.merge(try quotas.limits(of: project, in: tx)) { _, new in new }
        if let most = limits[QuotaResource.perVolume.rawValue], most >= 0, addition.requested > most {
            if addition.thing == .volumes { throw Self.tooLarge(addition.requested, most) }
        }
        let usage = try quotas.usage(of: project, in: tx)
        // The reference names the first limit in the alphabet.
        for (name, key, amount) in Self.amounts(addition).sorted(by: { $0.name < $1.name }) where amount > 0 {
            let limit = limits[name] ?? QuotaResource(rawValue: name)?.usual ?? -1
            let used = usage[key] ?? 0
            guard limit >= 0, used + amount > limit else { continue }
            throw Self.exceeded(name, limit: limit, used: used, addition)
        }
    }

    /// Returns the amounts by the names of their limits, with the names of their use.
    private static func amounts(_ addition: Addition) -> [(name: String, key: String, amount: Int)] {
        let amounts = [
            (QuotaResource.volumes, addition.volumes), (.snapshots, addition.snapshots),
            (.gigabytes, addition.gigabytes),
        ]
        var all = addition.isOfTypeOnly ? [] : amounts.map { ($0.rawValue, $0.rawValue, $1) }
        if addition.groups > 0 { all.append((QuotaResource.groups.rawValue, "groups", addition.groups)) }
        let ofBackups = [(QuotaResource.backups, addition.backups), (.backupGigabytes, addition.backupGigabytes)]
        all += ofBackups.map { ($0.rawValue, $0.rawValue, $1) }
        if let type = addition.type {
            all += amounts.map { ("\($0.rawValue)_\(type.name)", "\($0.rawValue)_\(type.id)", $1) }
        }
        return all.map { (name: $0.0, key: $0.1, amount: $0.2) }
    }

    private static func tooLarge(_ size: Int, _ limit: Int) -> CloudError {
        refused("Requested volume size \(size)G is larger than maximum allowed limit \(limit)G.")
    }

    private static func exceeded(_ name: String, limit: Int, used: Int, _ addition: Addition) -> CloudError {
        if name.hasPrefix(QuotaResource.gigabytes.rawValue) {
            return refused(
                "Requested volume or snapshot exceeds allowed \(name) quota. Requested \(addition.requested)G, "
                    + "quota is \(limit)G and \(used)G has been consumed.")
        }
        if name == QuotaResource.backupGigabytes.rawValue {
            return refused(
                "Requested backup exceeds allowed Backup gigabytes quota. Requested \(addition.requested)G, quota is "
                    + "\(limit)G and \(used)G has been consumed.")
        }
        switch addition.thing {
        case .snapshots: return refused("Maximum number of snapshots allowed (\(limit)) exceeded")
        case .backups: return refused("Maximum number of backups allowed (\(limit)) exceeded")
        case .groups: return refused("Maximum number of groups allowed (\(limit)) exceeded")
        default: return refused("Maximum number of volumes allowed (\(limit)) exceeded for quota '\(name)'.")
        }
    }

    private static func refused(_ message: String) -> CloudError {
        var error = CloudError(.tooLarge, message)
        error.headers = [("Retry-After", "0")]
        return error
    }
}
