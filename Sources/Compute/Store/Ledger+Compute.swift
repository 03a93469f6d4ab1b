import SQL

extension Ledger {
    /// The usage of Compute by projects and by their users. Every row of a server counts, whatever its state; a server
    /// that is resized counts with its new size. The number of a user's key pairs belongs to no project.
    static let compute = Ledger("compute_usage", Tally.compute)
}

extension Tally {
    private static let owners = [Owner.project("row.project_id"), .user("row.user_id", in: "row.project_id")]

    static let compute = [
        Tally(
            of: "compute_server", owners: owners,
            [.use("instances"), .use("cores", "row.vcpus"), .use("ram", "row.ram")]),
        Tally(of: "compute_server_group", owners: owners, [.use("server_groups")]),
        Tally(of: "compute_key_pair", owners: [.user("row.user_id")], [.use("key_pairs")], where: "row.user_id <> ''"),
    ]
}

extension Migration {
    static func computeUsage(_ number: Int) -> Migration {
        Migration(number, "usage that the database keeps", Ledger.creation(of: "compute_usage", Tally.compute))
    }
}
