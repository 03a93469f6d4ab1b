import Access
import CloudCore
import Resources
import SQL

/// What every service of Networking is made with.
struct NetworkingContext: Sendable {
    let base: ServiceContext
    let hosts: any NetworkingHosts
    /// Told of each commit, in this process.
    let onChange: @Sendable () -> Void
    /// The rules of single attributes.
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
    /// Administrators and the cloud's other services look beyond their own project.
    func seesAll(_ caller: Principal) -> Bool { isAdmin(caller) || policy.allows("service_api", caller) }

    /// Says that what hosts should be like may be different now. Every transaction that changes a row of Networking's says it.
    func changed(in tx: Transaction) {
        // The key is only there so that the commit is counted: whoever follows reads everything anew.
        tx.changed(base.topic, ["rows"])
        tx.afterCommit(onChange)
    }

    func newID<Entity>(_: Entity.Type = Entity.self) -> ID<Entity> { ID(world.random.uuid()) }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await base.read(body)
    }

    /// A write that is run again when another took first what it had found free: an address, a name that is there once.
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
    /// The project that what the caller makes belongs to; nothing equals it where there is none.
    var project: String { projectID?.text ?? "" }
}
