import Access
import CloudCore
import Durable
import SQL

/// The actions on servers: the workflows that have worked on them.
struct InstanceActionService: Sendable {
    let servers: ServerService

    /// Returns the actions on a server that is there.
    ///
    /// - Parameter orGone: whether a server of the archive counts, too.
    func actions(
        on id: ID<Kind.Server>, _ action: Action, by caller: Caller, orGone: Bool
    ) async throws -> (server: Server, rows: [WorkflowRecord]) {
        try await servers.context.read { tx in
            let gone = orGone ? try archived(id, action, by: caller, in: tx) : nil
            let server = try gone ?? servers.require(id, action, by: caller, in: tx)
            // Nobody has asked for the work that the cloud does by itself, so it is no action.
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
