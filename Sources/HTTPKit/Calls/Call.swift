import Access
package import CloudCore
package import HTTPTypes
import NIOCore

/// One request, as the handler of a route sees it.
package struct Call: Sendable {
    package let method: HTTPRequest.Method
    /// The path below the mount's prefix, still percent-encoded. Only `parameters` are decoded.
    package let path: String
    package let query: Query
    package let headers: HTTPFields
    /// The values of the parameters (`{name}`) in the route's path.
    package internal(set) var parameters: [(name: String, value: String)] = []
    /// The public URL of the mount, such as `http://cloud:5000/identity`. Links begin with it.
    package let base: String
    /// The request's id: `req-` and a UUID. It stands in every log line, in the headers of the answer, and in what the
    /// request starts.
    package let requestID: String
    package internal(set) var microversion: Microversion?
    package let remoteAddress: String?
    package internal(set) var body: Body
    /// The type of the called service, as the catalog and access rules name it.
    let service: String
    let verifier: (any TokenVerifier)?

    /// Returns the value of a `{name}` in the route's path.
    package subscript(parameter name: String) -> String {
        parameters.first { $0.name == name }?.value ?? ""
    }

    /// Returns the id in a `{name}` of the route's path.
    package func id<Entity>(_ name: String, of: Entity.Type = Entity.self) -> ID<Entity> { ID(self[parameter: name]) }

    /// Returns the principal of the caller's token.
    ///
    /// - Throws: `CloudError.unauthenticated` if there is no token, if the token gives no access now, or if no access
    ///   rule of an application credential allows the request.
    package func caller() async throws -> Principal {
        guard let verifier, let token = authToken else { throw CloudError(.unauthenticated, Self.unauthenticatedMessage) }
        let caller = try await verifier.principal(of: token)
        if let rules = caller.accessRules, !rules.contains(where: { $0.allows(service: service, method: method.rawValue, path: path) }) {
            throw CloudError(.unauthenticated, Self.unauthenticatedMessage, detail: "no access rule allows \(method) \(path)")
        }
        Budget.current?.share = caller.share
        return caller
    }

    /// Throws for a caller without any role. Such a token is useful only with Identity; other services do no work for
    /// it.
    func requireRole() async throws {
        guard try await caller().roles.isEmpty else { return }
        throw CloudError.forbidden("A request with a body of this length needs a role on what its token is scoped to.")
    }

    /// The token that the caller presents. Headers that claim an identity without a token are ignored.
    package var authToken: String? {
        let token = headers[.authToken] ?? ""
        return (1...Limits.request.token.most).contains(token.utf8.count) ? token : nil
    }

    package static let unauthenticatedMessage = "The request you have made requires authentication."

    /// The URL that was requested. Links to `next` pages are built from it.
    package var url: String { base + path }
}

extension HTTPField.Name {
    package static let authToken = Self("X-Auth-Token")!  // tidy: allow force-unwrap, a constant
    package static let subjectToken = Self("X-Subject-Token")!  // tidy: allow force-unwrap, a constant
    package static let requestID = Self("x-openstack-request-id")!  // tidy: allow force-unwrap, a constant
    package static let globalRequestID = Self("X-OpenStack-Request-ID")!  // tidy: allow force-unwrap, a constant
    package static let apiVersion = Self("OpenStack-API-Version")!  // tidy: allow force-unwrap, a constant
}
