import CloudCore
import HostModel

/// A server with what is not in its row: what it goes through, its ports, its fault.
struct ServerView: Sendable {
    var server: Server
    /// The running workflow's word.
    var task: String?
    /// The running workflow's progress in per cent.
    var progress: Int?
    var ports: [ServerPort] = []
    var securityGroups: [String] = []
    var zone: String?
    var hostIsUp: Bool?
    var hostIsDisabled = false
    var fault: Server.Fault?

    var status: String { ServerStatus.text(server.state, task: task) }
}

/// What a short list shows of a server.
struct ServerBrief: Sendable {
    var id: ID<Kind.Server>
    var name: String
}
