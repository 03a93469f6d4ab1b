import Access
import CloudCore
import HTTPKit
import HTTPTypes
import NIOCore

/// A request after the checks that all requests of Compute share.
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

    /// Checks the policy for the caller's own project. No route's own rule is about another project.
    func require(_ action: Action, _: PolicyTarget) throws { try caller.require(action) }

    func reply(_ answer: Reply) -> Reply {
        var reply = answer
        reply.headers[.computeRequestID] = call.requestID
        return reply
    }

    /// Returns the page that `limit` and `marker` ask for. The query was checked before.
    ///
    /// - Parameter hasOffset: whether the list has `offset` as well. Other lists ignore it.
    func page(hasOffset: Bool = false) throws -> Page {
        var page = Page()
        if let text = query("limit") { page.limit = max(0, min(Int(text) ?? .max, Page.most)) }
        page.marker = query("marker")
        if hasOffset, let text = query("offset") { page.offset = max(0, Int(text) ?? .max) }
        return page
    }

    /// Returns the page that `limit` and `offset` ask for, of a list without markers. A limit of 0 is none.
    func pageByOffset() throws -> Page {
        var page = try page(hasOffset: true)
        page.marker = nil
        if page.limit == 0 { page.limit = Page.most }
        return page
    }
}

/// The caller of a request, with the version of the API that the caller asked for. Services take it as an argument.
struct Caller: Sendable {
    let principal: Principal
    /// Minor part of the microversion: 79 for 2.79.
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
    /// - Parameters:
    ///   - projectID: the project of the target; nil for the caller's own project.
    ///   - userID: the user of the target; nil for the caller.
    /// - Throws: `CloudError.forbidden` if it does not.
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

/// The page of a list that a query asks for.
struct Page: Sendable {
    /// The most elements of a page.
    static let most = Limits.list.page.most
    var limit = Self.most
    var marker: String?
    var offset = 0

    /// Returns the error for a marker that is not in the list.
    func lost(_ marker: String) -> CloudError { .badRequest("marker [\(marker.prefix(255))] not found") }
}

extension QueryShape {
    static let noneSince78 = QueryShape(closedSince: 78)
}
