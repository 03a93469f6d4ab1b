import Access
import CloudCore
import HostModel
import SQL

/// Checks and reads that change nothing.
extension ServerService {
    /// Checks that the server exists and that the policy allows the action.
    @discardableResult
    func check(_ id: ID<Kind.Server>, _ action: Action, by caller: Caller) async throws -> Server {
        try await context.read { tx in try require(id, action, by: caller, in: tx) }
    }

    /// Checks that the policy, the server's lock, its state and its tasks allow the action now.
    @discardableResult
    func check(_ id: ID<Kind.Server>, _ rule: ServerRule, by caller: Caller) async throws -> Server {
        try await context.read { tx in try require(id, rule, for: nil, by: caller, in: tx) }
    }

    func securityGroups(of server: Server) async throws -> [ServerSecurityGroup] {
        try await context.read { tx in
            try context.needs.networking.securityGroups(of: [server.id], in: tx)[server.id] ?? []
        }
    }

    /// Returns the existing servers with these ids, of every project. The caller's right to name any server was checked
    /// before.
    func find(_ ids: [String]) async throws -> [String: Server] {
        try await context.read { tx in
            let found = try ids.compactMap { try servers.find(ID($0), in: tx) }
            return Dictionary(found.map { ($0.id.text, $0) }) { first, _ in first }
        }
    }
}
