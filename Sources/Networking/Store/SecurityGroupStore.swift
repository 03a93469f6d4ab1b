import CloudCore
import Resources
import SQL

/// Queries about security groups across tables.
enum SecurityGroupStore {
    static func rules(of groups: [String], in tx: Transaction) throws -> [String: [SecurityGroupRule]] {
        guard !groups.isEmpty else { return [:] }
        var query = ListQuery()
        query.filter("security_group_id", in: groups)
        query.sort = [("created_at", true)]
        return Dictionary(grouping: try ResourceStore<SecurityGroupRule>().all(query, in: tx)) { $0.groupID.text }
    }

    /// Returns the remote prefixes, as rules spell them, that denote one of the networks.
    ///
    /// - Parameter visible: a condition, as SQL over the rules; nil for all.
    static func prefixes(of networks: Set<IPPrefix>, visible: (sql: String, arguments: [SQLValue])?, in tx: Transaction) throws -> [String] {
        var found: [String] = []
        for network in networks {
            let ending = "/\(network.length)"
            var sql = """
                SELECT DISTINCT remote_ip_prefix FROM networking_security_group_rule
                WHERE substr(remote_ip_prefix, length(remote_ip_prefix) - \(ending.count - 1)) = ?
                """
            if let visible { sql += " AND (\(visible.sql))" }
            let rows = try tx.rows(sql, arguments: [.text(ending)] + (visible?.arguments ?? []))
            found += try rows.map { try $0.value(at: 0) as String }.filter { IPPrefix($0, alone: true) == network }
        }
        return found
    }

    static func defaultGroup(of project: String, in tx: Transaction) throws -> ID<SecurityGroup.Noun>? {
        try tx.value("SELECT id FROM networking_security_group WHERE project_id = ? AND is_default = 1", project)
    }

    static func isUsed(_ id: ID<SecurityGroup.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_port_security_group WHERE group_id = ? LIMIT 1", id) != nil
    }

    /// Returns those of the groups that are the project's own or shared with it.
    static func usable(_ ids: [String], for project: String, in tx: Transaction) throws -> Set<String> {
        let own = try tx.rows(among: ids, "SELECT id FROM networking_security_group WHERE id IN", "AND project_id = ?", also: [.text(project)])
        return try Set(own.map { try $0.value(at: 0) as String }).union(SharingStore.shared(ids, for: project, in: tx))
    }

    static func owners(of ids: [String], in tx: Transaction) throws -> [String: (project: String, isDefault: Bool)] {
        var owners: [String: (project: String, isDefault: Bool)] = [:]
        for row in try tx.rows(among: Array(Set(ids)), "SELECT id, project_id, is_default FROM networking_security_group WHERE id IN") {
            owners[try row.value(at: 0)] = (try row.value(at: 1), try row.value(at: 2))
        }
        return owners
    }

    // MARK: Groups by name

    /// Returns at most two ids: two are enough to know that there is more than one.
    static func named(_ name: String, of project: String, in tx: Transaction) throws -> [String] {
        try tx.rows("SELECT id FROM networking_security_group WHERE project_id = ? AND name = ? LIMIT 2", project, name)
            .map { try $0.value(at: 0) }
    }

    /// Returns at most two ids of groups with the name that are shared with a project.
    static func named(_ name: String, sharedWith project: String, in tx: Transaction) throws -> [String] {
        let (shared, arguments) = SharingStore.sharedCondition(project)
        return try tx.rows(
            "SELECT id FROM networking_security_group WHERE name = ? AND \(shared) LIMIT 2", arguments: [.text(name)] + arguments
        ).map { try $0.value(at: 0) }
    }

    // MARK: Parts of groups

    /// Returns the distinct values of `stateful` among the groups.
    static func kinds(of ids: [String], in tx: Transaction) throws -> Set<Bool> {
        Set(
            try tx.rows(among: ids, "SELECT DISTINCT stateful FROM networking_security_group WHERE id IN")
                .map { try $0.value(at: 0) as Bool })
    }

    /// Returns the groups with rules that refer to a group.
    static func groups(naming id: ID<SecurityGroup.Noun>, in tx: Transaction) throws -> [String] {
        try tx.rows(
            "SELECT DISTINCT security_group_id FROM networking_security_group_rule WHERE remote_group_id = ?", id
        ).map { try $0.value(at: 0) }
    }

    /// Deletes the rules of a group, and the rules of others that refer to it.
    static func deleteRules(concerning id: ID<SecurityGroup.Noun>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM networking_security_group_rule WHERE remote_group_id = ? OR security_group_id = ?", id, id)
    }

    static func isNamedByRules(_ addresses: ID<AddressGroup.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_security_group_rule WHERE remote_address_group_id = ?", addresses) != nil
    }

    /// Returns the condition for the rules of a project's groups.
    static func rules(ofGroupsOf project: String) -> (sql: String, arguments: [SQLValue]) {
        ("security_group_id IN (SELECT id FROM networking_security_group WHERE project_id = ?)", [.text(project)])
    }

    /// The condition for the rules of default groups.
    static var rulesOfDefaultGroups: (sql: String, arguments: [SQLValue]) {
        ("security_group_id IN (SELECT id FROM networking_security_group WHERE is_default = 1)", [])
    }

    static func touch(_ id: ID<SecurityGroup.Noun>, at now: Timestamp, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE networking_security_group SET revision_number = revision_number + 1, updated_at = ? WHERE id = ?", now, id)
    }
}
