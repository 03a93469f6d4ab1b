import CloudCore
import Resources
import SQL

/// Walks the tree of projects.
struct ProjectTree: Sendable {
    /// Returns the ids of all projects below one, nearest first.
    func below(_ root: ID<Kind.Project>, in tx: Transaction) throws -> [ID<Kind.Project>] {
        try tx.rows(
            """
            WITH RECURSIVE below (id, depth) AS (
              SELECT id, 1 FROM identity_project WHERE parent_id = ?
              UNION ALL
              SELECT p.id, b.depth + 1 FROM identity_project p JOIN below b ON p.parent_id = b.id WHERE b.depth < 64)
            SELECT id FROM below ORDER BY depth, id
            """, root
        ).map { try $0["id"] }
    }

    /// Returns the ids of the projects above one. The nearest is first, and the domain is last.
    func above(_ leaf: ID<Kind.Project>, in tx: Transaction) throws -> [ID<Kind.Project>] {
        try AssignmentStore().ancestors(of: leaf, in: tx)
    }

    func projects(_ ids: [ID<Kind.Project>], in tx: Transaction) throws -> [Project] {
        var query = ListQuery()
        query.filter("id", in: ids)
        let found = try ResourceStore<Project>().all(query, in: tx)
        // The result has the order of the ids.
        let byID = Dictionary(uniqueKeysWithValues: found.map { ($0.id, $0) })
        return ids.compactMap { byID[$0] }
    }
}
