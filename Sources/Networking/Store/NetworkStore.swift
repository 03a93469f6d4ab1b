import CloudCore
import Resources
import SQL

/// Queries about networks that need no whole row.
enum NetworkStore {
    static func project(of id: ID<Network.Noun>, in tx: Transaction) throws -> String? {
        try tx.value("SELECT project_id FROM networking_network WHERE id = ?", id)
    }

    static func mtu(of id: ID<Network.Noun>, in tx: Transaction) throws -> Int64? {
        try tx.value("SELECT mtu FROM networking_network WHERE id = ?", id)
    }

    static func isDefault(_ id: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_network WHERE id = ? AND is_default = 1", id) != nil
    }

    static func hasDefaultExternal(except id: ID<Network.Noun>, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_network WHERE is_default = 1 AND is_external = 1 AND id <> ?", id) != nil
    }

    // MARK: What networks are made of

    static func hasFlat(on physical: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_network WHERE type = 'flat' AND physical_network = ?", physical) != nil
    }

    static func hasTunnel(_ segment: Int64, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT 1 FROM networking_network WHERE type = 'vxlan' AND segment_id = ?", segment) != nil
    }

    static func hasSegment(_ segment: Int64, of type: String, on physical: String?, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT 1 FROM networking_network WHERE type = ? AND coalesce(physical_network, '') = ? AND segment_id = ?",
            type, physical ?? "", segment) != nil
    }

    static func vlans(on physical: String, in tx: Transaction) throws -> Set<Int64> {
        let rows = try tx.rows(
            """
            SELECT segment_id FROM networking_network
            WHERE type = 'vlan' AND physical_network = ? AND segment_id IS NOT NULL
            """, physical)
        return Set(try rows.map { try $0.value(at: 0) })
    }

    // MARK: External networks

    static func makeExternal(_ id: String, in tx: Transaction) throws {
        try tx.execute("UPDATE networking_network SET is_external = 1 WHERE id = ?", id)
    }

    /// Makes a network an internal one, unless a router has its gateway there.
    static func makeInternal(_ id: String, in tx: Transaction) throws {
        try tx.execute(
            """
            UPDATE networking_network SET is_external = 0 WHERE id = ?
              AND NOT EXISTS (SELECT 1 FROM networking_port WHERE network_id = ? AND device_owner = ?)
            """, id, id, Port.routerGateway)
    }

    // MARK: Networks for servers

    /// The facts about a network that decide whether a server can use it.
    struct Brief: Sendable {
        let id: String
        let isExternal: Bool
        let portSecurity: Bool
    }

    /// Returns the two oldest networks that match a condition; two are enough to know that there is more than one.
    static func firstTwo(_ condition: (sql: String, arguments: [SQLValue]), in tx: Transaction) throws -> [Brief] {
        try tx.rows(
            """
            SELECT id, is_external, port_security_enabled FROM networking_network WHERE \(condition.sql)
            ORDER BY created_at, id LIMIT 2
            """, arguments: condition.arguments
        ).map { Brief(id: try $0.value(at: 0), isExternal: try $0.value(at: 1), portSecurity: try $0.value(at: 2)) }
    }

    /// Returns the condition for a project's default networks for servers: its own and those that are shared with it.
    static func automatic(for project: String) -> (sql: String, arguments: [SQLValue]) {
        let (shared, arguments) = SharingStore.sharedCondition(project)
        return ("admin_state_up = 1 AND (project_id = ? OR \(shared))", [.text(project)] + arguments)
    }

    // MARK: Conditions of lists

    /// Returns the condition for rows that belong to networks which match a condition.
    static func parts(of networks: (sql: String, arguments: [SQLValue])) -> (sql: String, arguments: [SQLValue]) {
        ("network_id IN (SELECT id FROM networking_network WHERE \(networks.sql))", networks.arguments)
    }

    /// The condition for rows that belong to external networks.
    static var partsOfExternal: (sql: String, arguments: [SQLValue]) { parts(of: ("is_external = 1", [])) }

    /// Returns the condition for rows that are a project's own or belong to one of its networks.
    static func ownOrOnOwn(_ project: String) -> (sql: String, arguments: [SQLValue]) {
        let (sql, arguments) = parts(of: ("project_id = ?", [.text(project)]))
        return ("project_id = ? OR \(sql)", [.text(project)] + arguments)
    }
}
