import Access
import CloudCore
import HostModel
import SQL

/// Questions about servers that change nothing.
extension ServerService {
    /// Refuses an action for who may not do it to the server, or to a server that is not there.
    @discardableResult
    func check(_ id: ID<Kind.Server>, _ action: Action, by caller: Caller) async throws -> Server {
        try await context.read { tx in try require(id, action, by: caller, in: tx) }
    }

    /// Refuses an action on a server also where its lock, its state or its tasks stand in the way.
    @discardableResult
    func check(_ id: ID<Kind.Server>, _ rule: ServerRule, by caller: Caller) async throws -> Server {
        try await context.read { tx in try require(id, rule, for: nil, by: caller, in: tx) }
    }

    func securityGroups(of server: Server) async throws -> [ServerSecurityGroup] {
        try await context.read { tx in
            try context.needs.networking.securityGroups(of: [server.id], in: tx)[server.id] ?? []
        }
    }

    /// Returns those servers that are there, by id, of every project: whether the caller may name any server was
    /// asked before.
    func find(_ ids: [String]) async throws -> [String: Server] {
        try await context.read { tx in
            let found = try ids.compactMap { try servers.find(ID($0), in: tx) }
            return Dictionary(found.map { ($0.id.text, $0) }) { first, _ in first }
        }
    }
}
