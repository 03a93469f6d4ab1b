import SQL

extension Ledger {
    /// The numbers of rows of each noun that projects have. Rows of no project, such as ports for DHCP, count for
    /// nobody.
    static let networking = Ledger("networking_usage", Tally.networking)
}

extension Tally {
    static let networking = [
        ("network", "networking_network"), ("subnet", "networking_subnet"), ("port", "networking_port"),
        ("router", "networking_router"),
        ("floatingip", "networking_floating_ip"), ("security_group", "networking_security_group"),
        ("security_group_rule", "networking_security_group_rule"), ("subnetpool", "networking_subnet_pool"),
        ("rbac_policy", "networking_rbac_policy"), ("address_group", "networking_address_group"),
        ("address_scope", "networking_address_scope"),
    ].map { resource, table in Tally(of: table, owners: [.project("row.project_id")], [.use(resource)]) }
}
