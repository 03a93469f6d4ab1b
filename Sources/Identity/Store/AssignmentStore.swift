import CloudCore
import Resources
import SQL

/// The role assignments, and the roles that follow from them.
struct AssignmentStore: Sendable {
    private static let columns = "actor_kind, actor_id, target_kind, target_id, role_id, inherited"

    /// Inserts an assignment, and returns whether it is new.
    @discardableResult
    func insert(_ assignment: Assignment, in tx: Transaction) throws -> Bool {
        try tx.execute(
            """
            INSERT INTO identity_assignment (actor_kind, actor_id, target_kind, target_id, role_id, inherited)
            VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
            """,
            assignment.actor.kind, assignment.actor.id, assignment.target.kind, assignment.target.id, assignment.roleID,
            assignment.isInherited) > 0
    }

    @discardableResult
    func delete(_ assignment: Assignment, in tx: Transaction) throws -> Bool {
        try tx.execute(
            """
            DELETE FROM identity_assignment
            WHERE actor_id = ? AND target_id = ? AND role_id = ? AND inherited = ? AND actor_kind = ? AND target_kind = ?
            """,
            assignment.actor.id, assignment.target.id, assignment.roleID, assignment.isInherited, assignment.actor.kind,
            assignment.target.kind) > 0
    }

    func exists(_ assignment: Assignment, in tx: Transaction) throws -> Bool {
        try !of(assignment.actor, on: assignment.target, in: tx).filter { $0 == assignment }.isEmpty
    }

    func of(_ actor: Assignment.Actor, on target: Assignment.Target, in tx: Transaction) throws -> [Assignment] {
        try tx.rows(
            """
            SELECT \(Self.columns) FROM identity_assignment
            WHERE actor_id = ? AND target_id = ? AND actor_kind = ? AND target_kind = ? ORDER BY role_id
            """, actor.id, target.id, actor.kind, target.kind
        ).map(assignment)
    }

    /// Returns all assignments of a user, including those of the user's groups.
    func held(by user: ID<Kind.User>, in tx: Transaction) throws -> [Assignment] {
        try tx.rows(
            """
            SELECT \(Self.columns) FROM identity_assignment
            WHERE (actor_kind = 'user' AND actor_id = ?)
               OR (actor_kind = 'group' AND actor_id IN (SELECT group_id FROM identity_membership WHERE user_id = ?))
            """, user, user
        ).map(assignment)
    }

    func all(_ query: ListQuery, in tx: Transaction) throws -> [Assignment] {
        let (sql, arguments) = query.clause
        return try tx.rows(
            "SELECT \(Self.columns) FROM identity_assignment WHERE \(sql) ORDER BY actor_id, target_id, role_id, inherited",
            arguments: arguments
        ).map(assignment)
    }

    func deleteAll(of actor: Assignment.Actor, in tx: Transaction) throws {
        try tx.execute("DELETE FROM identity_assignment WHERE actor_kind = ? AND actor_id = ?", actor.kind, actor.id)
    }

    /// Deletes the assignments on a project or a domain. Inherited grants on a domain have the same target id, and are
    /// deleted too.
    func deleteAll(onProjectOrDomain id: String, in tx: Transaction) throws {
        try tx.execute("DELETE FROM identity_assignment WHERE target_kind <> 'system' AND target_id = ?", id)
    }

    private func assignment(_ row: Row) throws -> Assignment {
        let actorID: String = try row["actor_id"]
        let targetID: String = try row["target_id"]
        let target: Assignment.Target =
            switch try row["target_kind"] as String {
            case "project": .project(ID(targetID))
            case "domain": .domain(ID(targetID))
            default: .system
            }
        return Assignment(
            actor: try row["actor_kind"] == "user" ? .user(ID(actorID)) : .group(ID(actorID)), target: target,
            roleID: try row["role_id"], isInherited: try row["inherited"])
    }

    // MARK: What follows

    /// Returns the ids of the projects above one. The nearest is first, and the domain is last.
    func ancestors(of project: ID<Kind.Project>, in tx: Transaction) throws -> [ID<Kind.Project>] {
        try tx.rows(
            """
            WITH RECURSIVE above (id, depth) AS (
              SELECT parent_id, 1 FROM identity_project WHERE id = ?
              UNION ALL
              SELECT p.parent_id, a.depth + 1 FROM identity_project p JOIN above a ON p.id = a.id WHERE a.depth < 64)
            SELECT id FROM above WHERE id IS NOT NULL ORDER BY depth
            """, project
        ).map { try $0["id"] }
    }

    /// Returns the given roles and every role that they imply.
    func implied(by roles: Set<ID<Kind.Role>>, in tx: Transaction) throws -> Set<ID<Kind.Role>> {
        let rules = try ImpliedRoleStore().all(in: tx)
        var all = roles
        var fresh = roles
        while !fresh.isEmpty {
            fresh = Set(rules.filter { fresh.contains($0.prior) && !all.contains($0.implied) }.map(\.implied))
            all.formUnion(fresh)
        }
        return all
    }

    /// Returns the global roles that a user has on a target: granted on it, inherited from above, or implied by those.
    /// The roles of domains are left out: they only imply others.
    func effectiveRoles(
        of user: ID<Kind.User>, on target: Assignment.Target, in tx: Transaction
    ) throws -> [Principal.Named] {
        try named(try effectiveRoleIDs(of: user, on: target, in: tx), in: tx)
    }

    /// Returns the ids of the roles that a user has on a target, including the roles of domains.
    func effectiveRoleIDs(
        of user: ID<Kind.User>, on target: Assignment.Target, in tx: Transaction
    ) throws -> Set<ID<Kind.Role>> {
        let held = try held(by: user, in: tx)
        guard !held.isEmpty else { return [] }
        var above: Set<String> = []
        if case .project(let id) = target { above = Set(try ancestors(of: id, in: tx).map(\.text)) }
        let given = held.filter { $0.isInherited ? above.contains($0.target.id) : $0.target == target }
        guard !given.isEmpty else { return [] }
        return try implied(by: Set(given.map(\.roleID)), in: tx)
    }

    /// Returns the ids and names of the global roles among the given ones, sorted by name.
    func named(_ roles: Set<ID<Kind.Role>>, in tx: Transaction) throws -> [Principal.Named] {
        guard !roles.isEmpty else { return [] }
        let marks = roles.map { _ in "?" }.joined(separator: ", ")
        return try tx.rows(
            "SELECT id, name FROM identity_role WHERE domain_id IS NULL AND id IN (\(marks)) ORDER BY name",
            arguments: roles.sorted().map(\.sql)
        ).map { Principal.Named(id: try $0["id"], name: try $0["name"]) }
    }
}
