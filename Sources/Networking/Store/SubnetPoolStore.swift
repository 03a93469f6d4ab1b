import CloudCore
import Resources
import SQL

/// Queries about subnet pools that need no whole row.
enum SubnetPoolStore {
    static func scope(of id: String, in tx: Transaction) throws -> String? {
        try tx.value("SELECT address_scope_id FROM networking_subnet_pool WHERE id = ?", id)
    }

    static func hasPools(in scope: ID<AddressScope.Noun>, _ tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_subnet_pool WHERE address_scope_id = ? LIMIT 1", scope) != nil
    }

    static func hasDefault(version: Int64, except id: ID<SubnetPool.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT 1 FROM networking_subnet_pool WHERE is_default = 1 AND ip_version = ? AND id <> ?",
            version, id) != nil
    }

    // MARK: What was cut from a pool

    static func isUsed(_ id: ID<SubnetPool.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_subnet WHERE subnetpool_id = ? LIMIT 1", id) != nil
    }

    static func taken(
        from id: ID<SubnetPool.Noun>, in tx: Transaction
    ) throws -> [(prefix: IPPrefix, project: String)] {
        try tx.rows("SELECT cidr, project_id FROM networking_subnet WHERE subnetpool_id = ?", id)
            .map { (prefix: try $0.value(at: 0), project: try $0.value(at: 1)) }
    }
}
