/// The resources that have a quota, in the order in which the API shows them. Each type has three more.
enum QuotaResource: String, Sendable, CaseIterable {
    case volumes, snapshots, gigabytes, backups
    case backupGigabytes = "backup_gigabytes"
    case perVolume = "per_volume_gigabytes"
    case groups

    /// The limit of a project for which nothing else is set; -1 for no limit.
    var usual: Int {
        switch self {
        case .volumes, .snapshots, .backups, .groups: 10
        case .gigabytes, .backupGigabytes: 1000
        case .perVolume: -1
        }
    }

    /// The resources that are counted for each type as well.
    static let ofTypes: [QuotaResource] = [.volumes, .gigabytes, .snapshots]

    /// Returns the name of a type's resource.
    func of(_ type: String) -> String { "\(rawValue)_\(type)" }
}
