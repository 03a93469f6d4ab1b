import Access
import CloudCore
import HTTPKit
import SQL

/// The agents of hosts, with the notes of operators, and the availability zones that they form.
struct AgentService: Sendable {
    let networking: NetworkingContext

    struct Agent: Sendable {
        let host: NetworkHost
        let note: AgentStore.Note
        var takesNew: Bool { host.isAlive && note.isUp }
    }

    /// Returns no agents to a caller who may not see them: a list hides rows and does not refuse.
    func list(_ action: Action, by caller: Principal) async throws -> [Agent] {
        guard networking.policy.allows(action, caller) else { return [] }
        return try await networking.read { tx in try all(in: tx) }
    }

    private func all(in tx: Transaction) throws -> [Agent] {
        let notes = try AgentStore.notes(in: tx)
        return try networking.hosts.hosts(in: tx).map { Agent(host: $0, note: notes[$0.id] ?? .init()) }
    }

    private func require(_ id: String, in tx: Transaction) throws -> Agent {
        guard let found = try all(in: tx).first(where: { $0.host.id == id }) else { throw Self.missing(id) }
        return found
    }

    private static func missing(_ id: String) -> CloudError {
        .networking(.notFound, "AgentNotFound", "Agent \(id.prefix(64)) could not be found.")
    }

    func get(_ id: String, by caller: Principal) async throws -> Agent {
        guard networking.policy.allows("get_agent", caller) else { throw Self.missing(id) }
        return try await networking.read { tx in try require(id, in: tx) }
    }

    private struct Change: Sendable {
        var isUp: Bool?
        var description = Update<String>.keep

        static let form = Form.object(
            Change(), [.optional("admin_state_up", \.isUp, .boolean), .update("description", \.description, .string(0...255))])
    }

    func update(_ id: String, _ body: JSONObject, by caller: Principal) async throws -> Agent {
        try check("update_agent", id, caller)
        let change = try NetworkingBody.read(Change.form, from: body, "agent")
        return try await networking.write { tx in
            let found = try require(id, in: tx)
            var note = found.note
            note.isUp = change.isUp ?? note.isUp
            change.description.apply(to: &note.description)
            try AgentStore.set(note, of: id, in: tx)
            return Agent(host: found.host, note: note)
        }
    }

    /// Deletes the operators' notes. A host that exists is listed again, as an agent that reports is in the reference.
    func delete(_ id: String, by caller: Principal) async throws {
        try check("delete_agent", id, caller)
        try await networking.write { tx in
            _ = try require(id, in: tx)
            try AgentStore.remove(id, in: tx)
        }
    }

    private func check(_ action: Action, _ id: String, _ caller: Principal) throws {
        guard networking.policy.allows("get_agent", caller) else { throw Self.missing(id) }
        try networking.policy.require(action, caller)
    }
}
