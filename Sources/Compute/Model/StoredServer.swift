import CloudCore

/// A server as its row has it. Lists look at the columns, and leave the document as it is unless a condition needs
/// more.
struct StoredServer: Sendable {
    let id: ID<Kind.Server>
    let projectID: String
    let host: String?
    /// The state of the row; `error` in a view of a server whose workflow ended before its first step.
    var state: VMState
    /// The text of the whole server.
    private(set) var document: String

    init(id: ID<Kind.Server>, projectID: String, host: String?, state: VMState, document: String) {
        (self.id, self.projectID, self.host, self.state, self.document) = (id, projectID, host, state, document)
    }

    /// Takes a server as it is going to be stored.
    init(_ server: Server) throws {
        self.init(
            id: server.id, projectID: server.projectID, host: server.host, state: server.state,
            document: try StoredJSON.text(server))
    }

    /// Returns the server, decoded.
    func server() throws -> Server {
        var server: Server = try StoredJSON.value(from: document)
        server.state = state
        return server
    }

    /// The parts that answers show.
    var shown: ServerDocument { get throws { try ServerDocument(document) } }
}
