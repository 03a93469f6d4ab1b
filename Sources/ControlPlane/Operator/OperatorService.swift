import Access
import CloudCore
import Durable
import HTTPKit
import Identity
import Logging
import SQL

/// The context that all routes of the operator's API share.
struct OperatorContext: Sendable {
    let database: Database
    let workflows: Workflows
    let identity: IdentityAssembly
    let policy: Policy
    let log: Logger

    /// Returns the caller, if it may do the action.
    ///
    /// - Throws: `unauthenticated` without a token; `forbidden` for a caller who may not do it.
    func require(_ action: Action, _ call: Call) async throws -> Principal {
        let caller = try await call.caller()
        try policy.require(action, caller)
        return caller
    }

    /// Logs a decision of an operator.
    func record(_ what: String, by caller: Principal, _ call: Call, _ metadata: Logger.Metadata = [:]) {
        let own: Logger.Metadata = ["by": "\(caller.author)", "request_id": "\(call.requestID)"]
        log.notice("\(what)", metadata: own.merging(metadata) { $1 })
    }
}

extension Principal {
    /// The caller as logs and histories name it.
    var author: String { "\(userName) (\(userID))" }
}

/// The operator's API, below `/novella/v1`.
struct OperatorService: Sendable {
    private let context: OperatorContext
    private let envelope: any ErrorEnvelope

    /// - Parameter rules: the rules for this API in the policy file.
    /// - Throws: `PolicyError`.
    init(
        database: Database, workflows: Workflows, identity: IdentityAssembly, rules: [String: String], log: Logger
    ) throws {
        let policy = try Policy(defaults: OperatorPolicy.defaults, overrides: rules)
        context = OperatorContext(database: database, workflows: workflows, identity: identity, policy: policy, log: log)
        envelope = identity.service.envelope
    }

    var service: APIService {
        APIService(
            name: "novella", prefixes: ["/novella/v1"], envelope: envelope, bodyLimit: 64 << 10,
            routes: WorkflowRoutes(context: context).all + KeyRoutes(context: context).all)
    }
}
