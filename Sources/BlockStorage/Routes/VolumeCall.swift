import Access
import CloudCore
import HTTPKit
import HTTPTypes

/// A request after the checks that all requests of Block Storage share.
struct VolumeCall: PreparedCall {
    let call: Call
    let caller: Caller
    var principal: Principal { caller.principal }
    var minor: Int { caller.minor }

    static var dialect: Dialect { .volume }
    static let firstMinor = 0

    init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) throws {
        self.call = call
        caller = Caller(principal: principal, minor: minor, requestID: call.requestID, policy: policy)
        let named = call[parameter: Route.urlProject]
        guard named.isEmpty || named == caller.projectID else { throw CloudError.badRequest("Malformed request url") }
    }

    /// Checks the policy for the caller's own project. No route's own rule is about another project.
    func require(_ action: Action, _: PolicyTarget) throws { try caller.require(action) }

    func reply(_ answer: Reply) -> Reply {
        var reply = answer
        reply.headers[.computeRequestID] = call.requestID
        return reply
    }

    /// Returns the truth value of a name in the query; false if it is missing.
    ///
    /// - Throws: `CloudError.badRequest` for another word.
    func truth(_ name: String) throws -> Bool {
        guard let text = query(name) else { return false }
        guard let value = Truth.strict(text) else {
            throw CloudError.badRequest("Value '\(text.prefix(255))' for '\(name)' is not a boolean.")
        }
        return value
    }
}

/// The caller of a request, with the version of the API that the caller asked for. Services take it as an argument.
struct Caller: Sendable {
    let principal: Principal
    /// The minor part of the microversion: 59 for 3.59.
    let minor: Int
    let requestID: String
    private let policy: Policy

    init(principal: Principal, minor: Int, requestID: String, policy: Policy) {
        self.principal = principal
        self.minor = minor
        self.requestID = requestID
        self.policy = policy
    }

    var isAdministrator: Bool { policy.allows(.isAdministrator, principal) }
    /// The caller's project. Every rule needs a project's token, so there is one.
    var projectID: String { principal.projectID?.text ?? "" }
    var userID: String { principal.userID.text }

    /// Checks that the policy allows an action.
    ///
    /// - Parameter projectID: the project of the target; nil for the caller's own project.
    /// - Throws: `CloudError.forbidden` if it does not.
    func require(_ action: Action, of projectID: String? = nil) throws {
        do {
            try policy.require(action, principal, target(projectID))
        } catch {
            throw CloudError(.forbidden, "Policy doesn't allow \(action.name) to be performed.", detail: error.detail)
        }
    }

    func may(_ action: Action, of projectID: String? = nil) -> Bool {
        policy.allows(action, principal, target(projectID))
    }

    /// Returns whether the caller's view has the things of a project at all. Others' things are not there for users.
    func sees(_ projectID: String) -> Bool { projectID == self.projectID || isAdministrator }

    private func target(_ projectID: String?) -> PolicyTarget {
        ["project_id": projectID ?? principal.projectID?.text, "user_id": principal.userID.text]
    }
}
