import Access
import CloudCore
import SQL

/// What subnets and ports must know of their networks, of all of them in one query or two.
struct NetworkLookup {
    struct Entry {
        let projectID: String
        let isExternal: Bool
        let portSecurity: Bool
        let isShared: Bool

        /// Says what rules about a network's parts look at.
        func mark(_ target: inout PolicyTarget) {
            target.set("network:project_id", to: projectID)
            target.set("shared", to: isShared)
            target.set("router:external", to: isExternal)
        }
    }

    private var entries: [String: Entry] = [:]

    init(_ ids: [String], for caller: Principal, in tx: Transaction) throws {
        let ids = Array(Set(ids))
        let shared = try SharingStore.shared(ids, for: caller.project, in: tx)
        for row in try tx.rows(
            among: ids, "SELECT id, project_id, is_external, port_security_enabled FROM networking_network WHERE id IN")
        {
            let id: String = try row.value(at: 0)
            entries[id] = Entry(
                projectID: try row.value(at: 1), isExternal: try row.value(at: 2), portSecurity: try row.value(at: 3),
                isShared: shared.contains(id))
        }
    }

    subscript(id: ID<Network.Noun>) -> Entry? { entries[id.text] }

    /// The network that something is made on. Who may not use it hears that it is not there.
    static func require(_ id: ID<Network.Noun>, by caller: Principal, _ networking: NetworkingContext, in tx: Transaction) throws -> Entry {
        guard let entry = try NetworkLookup([id.text], for: caller, in: tx)[id] else { throw CloudError.missing(Network.self, id.text) }
        guard entry.projectID == caller.project || entry.isShared || entry.isExternal || networking.seesAll(caller) else {
            throw CloudError.hidden
        }
        return entry
    }
}
