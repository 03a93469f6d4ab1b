import Access
import CloudCore
import Durable
import SQL

/// The actions on a server: the workflows that worked on it.
struct InstanceActionService: Sendable {
    let servers: ServerService

    /// The first microversion that also shows the actions on deleted servers, which are in the archive.
    private static let deletedSince = 21

    /// Returns a server and a page of the actions on it, the newest first.
    ///
    /// - Parameter changes: the period in which the actions were changed last; nil for any time.
    func list(
        on id: ID<Kind.Server>, _ changes: ChangeWindow?, _ page: Page, by caller: Caller
    ) async throws -> (server: Server, rows: [WorkflowRecord]) {
        try await servers.context.read { tx in
            let server = try server(id, .listActions, by: caller, in: tx)
            var query = Self.shown
            (query.changedSince, query.changedBefore) = (changes?.since, changes?.before)
            if let marker = page.marker {
                guard let last = try find(marker, query, of: server, in: tx) else {
                    throw page.lost(marker)
                }
                query.after = last
            }
            query.limit = page.limit
            return (server, try servers.workflows.actions(on: server.resource, query, in: tx))
        }
    }

    /// Returns a server and the action on it that a request started.
    func find(_ requestID: String, on id: ID<Kind.Server>, by caller: Caller) async throws -> (
        server: Server, row: WorkflowRecord
    ) {
        try await servers.context.read { tx in
            let server = try server(id, .showAction, by: caller, in: tx)
            guard let row = try find(requestID, Self.shown, of: server, in: tx) else {
                throw CloudError.notFound("Action for request_id \(requestID) on instance \(server.id) not found")
            }
            return (server, row)
        }
    }

    /// All actions but those of a workflow that the cloud starts by itself: nobody asked for it.
    private static let shown = HistoryQuery(without: SweepHost.kind)

    private func find(_ requestID: String, _ query: HistoryQuery, of server: Server, in tx: Transaction) throws
        -> WorkflowRecord?
    {
        var query = query
        (query.requestID, query.limit) = (requestID, 1)
        return try servers.workflows.actions(on: server.resource, query, in: tx).first
    }

    private func server(_ id: ID<Kind.Server>, _ action: Action, by caller: Caller, in tx: Transaction) throws -> Server
    {
        let gone = caller.minor >= Self.deletedSince ? try archived(id, action, by: caller, in: tx) : nil
        return try gone ?? servers.require(id, action, by: caller, in: tx)
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
