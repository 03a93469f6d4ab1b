import Access
import CloudCore
import HTTPKit
import HTTPTypes
import NIOCore

/// A request that got past what all requests of Compute have in common.
struct ComputeCall: PreparedCall {
    let call: Call
    let caller: Caller
    var principal: Principal { caller.principal }
    var minor: Int { caller.minor }

    static var dialect: Dialect { .compute }
    static let firstMinor = 1
    static let queriesClosedSince = 102

    init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) throws {
        self.call = call
        caller = Caller(principal: principal, minor: minor, requestID: call.requestID, policy: policy)
        try Route.checkProject(in: call, is: caller.projectID)
    }

    /// The rules of routes are all about the caller's own project.
    func require(_ action: Action, _: PolicyTarget) throws { try caller.require(action) }

    func reply(_ answer: Reply) -> Reply {
        var reply = answer
        reply.headers[.computeRequestID] = call.requestID
        return reply
    }

    /// `limit` and `marker`, where the query's shape has let them through.
    ///
    /// - Parameter hasOffset: whether the list also has `offset`. Others pass it over, whatever it is.
    func page(hasOffset: Bool = false) throws -> Page {
        var page = Page()
        if let text = query("limit") { page.limit = max(0, min(Int(text) ?? .max, Page.most)) }
        page.marker = query("marker")
        if hasOffset, let text = query("offset") { page.offset = max(0, Int(text) ?? .max) }
        return page
    }
}

/// The caller, and the version of the API that the caller wants. Services are given one.
struct Caller: Sendable {
    let principal: Principal
    /// The minor part of the microversion: 79 for 2.79.
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
    /// Every rule is for a project's token, so there is one.
    var projectID: String { principal.projectID?.text ?? "" }
    var userID: String { principal.userID.text }

    /// - Parameters:
    ///   - projectID: of what is acted upon; nil for the caller's own.
    /// - Throws: `CloudError.forbidden`.
    func require(_ action: Action, projectID: String? = nil, userID: String? = nil) throws {
        do {
            try policy.require(action, principal, target(projectID, userID))
        } catch {
            throw CloudError(.forbidden, "Policy doesn't allow \(action.name) to be performed.", detail: error.detail)
        }
    }

    func may(_ action: Action, projectID: String? = nil) -> Bool {
        policy.allows(action, principal, target(projectID, nil))
    }

    private func target(_ projectID: String?, _ userID: String?) -> PolicyTarget {
        ["project_id": projectID ?? principal.projectID?.text, "user_id": userID ?? principal.userID.text]
    }
}

/// The part of a list that a query asks for.
struct Page: Sendable {
    /// The most elements of a page.
    static let most = 1000
    var limit = Self.most
    var marker: String?
    var offset = 0
}

extension QueryShape {
    static let noneSince78 = QueryShape(closedSince: 78)
}

extension Reply {
    static let accepted = Reply(.accepted)
    static let ok = Reply(.ok)
}
