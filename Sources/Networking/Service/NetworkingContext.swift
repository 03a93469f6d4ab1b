import Access
import CloudCore
import Resources
import SQL

/// The dependencies of every service of Networking.
struct NetworkingContext: Sendable {
    let base: ServiceContext
    let hosts: any NetworkingHosts
    /// The function that is called after each commit in this process.
    let onChange: @Sendable () -> Void
    /// The policy rules of single attributes.
    let attributeRules: AttributeRules

    init(base: ServiceContext, hosts: any NetworkingHosts, onChange: @escaping @Sendable () -> Void) {
        self.base = base
        self.hosts = hosts
        self.onChange = onChange
        attributeRules = AttributeRules(base.policy.actions)
    }

    var policy: Policy { base.policy }
    var world: World { base.world }

    func isAdmin(_ caller: Principal) -> Bool { policy.allows("context_is_admin", caller) }
    /// Returns whether the caller sees all projects, as administrators and the cloud's other services do.
    func seesAll(_ caller: Principal) -> Bool { isAdmin(caller) || policy.allows("service_api", caller) }

    /// Notes a change of rows. Every transaction that changes a row of Networking calls it.
    func changed(in tx: Transaction) {
        tx.changed(base.topic)
        tx.afterCommit(onChange)
    }

    /// Notes that hosts are to be told of a change. Every change of something that a host's state contains calls it;
    /// the keeper computes no other hosts.
    func touch(_ touches: Set<Touch>, in tx: Transaction) { tx.changed(base.topic, touches.map(\.key)) }

    func newID<Entity>(_: Entity.Type = Entity.self) -> ID<Entity> { ID(world.random.uuid()) }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await base.read(body)
    }

    /// Writes in a transaction. It is repeated if another transaction has meanwhile taken something that this one found
    /// free, such as an address or a unique name.
    func write<Value: Sendable>(_ change: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        let body: @Sendable (Transaction) throws -> Value = { tx in
            changed(in: tx)
            return try change(tx)
        }
        for _ in 1..<Self.attempts {
            do {
                return try await base.write(body)
            } catch SQLError.uniqueViolation {
                continue
            }
        }
        do {
            return try await base.write(body)
        } catch SQLError.uniqueViolation(let constraint) {
            throw CloudError(.conflict, "Another request took what this one needs. Please try again.", detail: constraint, code: "Conflict")
        }
    }

    private static let attempts = 5
}

extension Principal {
    /// The project of what the caller creates. Empty without a project; no row's project equals that.
    var project: String { projectID?.text ?? "" }
}
