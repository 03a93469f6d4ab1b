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
    let log: Logger

    /// Logs a decision of an operator.
    func record(_ what: String, _ call: OperatorCall, _ metadata: Logger.Metadata = [:]) {
        let own: Logger.Metadata = ["by": "\(call.principal.author)", "request_id": "\(call.call.requestID)"]
        log.notice("\(what)", metadata: own.merging(metadata) { $1 })
    }
}

/// The operator's API, below `/novella/v1`.
struct OperatorService: Sendable {
    private let context: OperatorContext
    private let maker: RouteMaker<OperatorCall>
    private let envelope: any ErrorEnvelope

    /// Creates the service.
    ///
    /// - Parameter rules: the rules for this API in the policy file.
    /// - Throws: `PolicyError`.
    init(
        database: Database, workflows: Workflows, identity: IdentityAssembly, rules: [String: String], log: Logger
    ) throws {
        maker = RouteMaker(policy: try Policy(defaults: OperatorPolicy.defaults, overrides: rules))
        context = OperatorContext(database: database, workflows: workflows, identity: identity, log: log)
        envelope = identity.service.envelope
    }

    var service: APIService {
        APIService(
            name: "novella", prefixes: ["/novella/v1"], envelope: envelope, bodyLimit: Limits.request.toolBody.most,
            routes: WorkflowRoutes(maker: maker, context: context).all + KeyRoutes(maker: maker, context: context).all)
    }
}
