import Access
import CloudCore
import Durable
import SQL

/// The actions on a server: the workflows that worked on it.
struct InstanceActionService: Sendable {
    let servers: ServerService

    /// Returns a server and the actions on it.
    ///
    /// - Parameter orGone: whether a deleted server, which is in the archive, is found as well.
    func actions(
        on id: ID<Kind.Server>, _ action: Action, by caller: Caller, orGone: Bool
    ) async throws -> (server: Server, rows: [WorkflowRecord]) {
        try await servers.context.read { tx in
            let gone = orGone ? try archived(id, action, by: caller, in: tx) : nil
            let server = try gone ?? servers.require(id, action, by: caller, in: tx)
            // The cloud starts this workflow by itself. Nobody asked for it, so it is not shown as an action.
            let rows = try servers.workflows.actions(on: server.resource, in: tx)
            return (server, rows.filter { $0.kind != SweepHost.kind })
        }
    }

    private func archived(
        _ id: ID<Kind.Server>, _ action: Action, by caller: Caller, in tx: Transaction
    ) throws -> Server? {
        guard let server = try servers.servers.findArchived(id, in: tx),
            server.projectID == caller.projectID || caller.isAdministrator
        else { return nil }
        try caller.require(action, projectID: server.projectID)
        return server
    }

    func events(of row: WorkflowRecord) async throws -> [WorkflowEvent] {
        try await servers.context.read { tx in try servers.workflows.events(of: row.id, in: tx) }
    }
}
