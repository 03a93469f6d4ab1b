import CloudCore
import SQL

/// Deletes the rows that belong to a project or a domain and that no foreign key deletes with it.
struct Removal: Sendable {
    private let assignments = AssignmentStore()

    func dependents(of project: ID<Kind.Project>, in tx: Transaction) throws {
        try assignments.deleteAll(onProjectOrDomain: project.text, in: tx)
        try tx.execute("DELETE FROM identity_credential WHERE project_id = ?", project)
        try tx.execute("UPDATE identity_user SET default_project_id = NULL WHERE default_project_id = ?", project)
    }

    /// Deletes everything in a domain: its users, groups, roles and projects.
    func contents(of domain: ID<Kind.Domain>, in tx: Transaction) throws {
        for (table, kind) in [("identity_user", "user"), ("identity_group", "group")] {
            try tx.execute(
                "DELETE FROM identity_assignment WHERE actor_kind = ? AND actor_id IN (SELECT id FROM \(table) WHERE domain_id = ?)",
                kind, domain)
            try tx.execute("DELETE FROM \(table) WHERE domain_id = ?", domain)
        }
        try tx.execute("DELETE FROM identity_role WHERE domain_id = ?", domain)
        // The projects at the bottom are deleted first, because a project cannot be deleted before those below it.
        for project in try ProjectTree().below(domain.asProject, in: tx).reversed() {
            try dependents(of: project, in: tx)
            try tx.execute("DELETE FROM identity_project WHERE id = ?", project)
        }
        try dependents(of: domain.asProject, in: tx)
    }
}
