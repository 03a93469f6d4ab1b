import SQL

extension Ledger {
    /// The usage of Block Storage by projects, in all and of each type; and the use of each pool, which is a user of no
    /// project with the name of its place. A volume counts with the size that it is going to have.
    static let blockStorage = Ledger("volume_usage", Tally.volumes + [.groups, .backups])
}

extension Tally {
    static let volumes = [
        Tally(
            of: "volume", owners: [.project("row.project_id"), .user("coalesce(row.place, '')")],
            [
                .use("volumes"), .use("gigabytes", "row.claimed_size"), .use(named: "'volumes_' || row.type_id"),
                .use(named: "'gigabytes_' || row.type_id", "row.claimed_size"),
            ]),
        Tally(
            of: "volume_snapshot", owners: [.project("row.project_id")],
            [
                .use("snapshots"), .use("gigabytes", "row.size"), .use(named: "'snapshots_' || row.type_id"),
                .use(named: "'gigabytes_' || row.type_id", "row.size"),
            ]),
    ]

    static let groups = Tally(of: "volume_group", owners: [.project("row.project_id")], [.use("groups")])

    static let backups = Tally(
        of: "volume_backup", owners: [.project("row.project_id")],
        [.use("backups"), .use("backup_gigabytes", "row.size")])
}
