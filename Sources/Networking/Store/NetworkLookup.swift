import Access
import CloudCore
import SQL

/// The facts about networks that subnets and ports need, for all of them in one query.
struct NetworkLookup {
    struct Entry {
        let projectID: String
        let isExternal: Bool
        let portSecurity: Bool
        let isShared: Bool
        /// Whether an RBAC policy lets the caller see the network, as a shared or as an external one.
        let isGranted: Bool

        /// Adds the attributes to a target that policy rules for parts of a network look at.
        func mark(_ target: inout PolicyTarget) {
            target.set("network:project_id", to: projectID)
            target.set("shared", to: isShared)
            target.set("router:external", to: isExternal)
        }
    }

    private var entries: [String: Entry] = [:]

    init(_ ids: [String], for caller: Principal, in tx: Transaction) throws {
        for row in try tx.rows(
            among: Array(Set(ids)),
            """
            SELECT n.id, n.project_id, n.is_external, n.port_security_enabled, r.action FROM networking_network n
            LEFT JOIN networking_rbac_policy r ON r.object_id = n.id AND r.target IN ('*', ?)
            WHERE n.id IN
            """, before: [.text(caller.project)])
        {
            // There is one row for each policy that names the caller.
            let id: String = try row.value(at: 0)
            let action: String? = try row.value(at: 4)
            let isShared = action == RBACPolicy.shared || entries[id]?.isShared ?? false
            entries[id] = Entry(
                projectID: try row.value(at: 1), isExternal: try row.value(at: 2), portSecurity: try row.value(at: 3),
                isShared: isShared, isGranted: action != nil)
        }
    }

    subscript(id: ID<Network.Noun>) -> Entry? { entries[id.text] }

    /// Returns the network for something that is created on it. A caller who may not use the network gets "not found".
    static func require(_ id: ID<Network.Noun>, by caller: Principal, _ networking: NetworkingContext, in tx: Transaction) throws -> Entry {
        guard let entry = try NetworkLookup([id.text], for: caller, in: tx)[id],
            entry.projectID == caller.project || entry.isGranted || networking.seesAll(caller)
        else { throw CloudError.missing(Network.self, id.text) }
        return entry
    }
}
