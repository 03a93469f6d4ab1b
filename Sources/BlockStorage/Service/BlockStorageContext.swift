import Access
import CloudCore
import Durable
import Resources
import SQL

/// The parts that all services of Block Storage share.
struct BlockStorageContext: Sendable {
    let base: ServiceContext
    let needs: BlockStorageNeeds
    let workflows: Workflows
    /// The waiter for moments of the world's clock.
    let sleeper: any Sleeper

    var world: World { base.world }
    var database: Database { base.database }
    var policy: Policy { base.policy }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await base.read(body)
    }

    /// Reads in a transaction that may take more than a few milliseconds.
    func readLong<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await base.database.read(.long, body)
    }

    @discardableResult
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await base.write(body)
    }

    /// Starts a workflow in the caller's transaction.
    ///
    /// - Parameter whenBusy: what happens if the resource has an active workflow.
    @discardableResult
    func start<W: Workflow>(
        _ workflow: W.Type, _ input: W.Input, on resource: ResourceKey, by caller: Caller,
        whenBusy: Workflows.StartOptions.WhenBusy = .refuse, in tx: Transaction
    ) throws -> WorkflowID {
        try workflows.start(
            workflow, input, on: resource, as: caller.principal,
            options: .init(requestID: caller.requestID, whenBusy: whenBusy), in: tx)
    }
}
