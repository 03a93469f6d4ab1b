import Access
package import CloudCore
package import HTTPTypes
import NIOCore

/// One request, as a route sees it.
package struct Call: Sendable {
    package let method: HTTPRequest.Method
    /// The path without the mount's prefix, percent-decoded segment by segment only in `parameters`.
    package let path: String
    package let query: Query
    package let headers: HTTPFields
    /// What the braces of the route's path stand for.
    package internal(set) var parameters: [(name: String, value: String)] = []
    /// The public URL of the mount, as `http://cloud:5000/identity`: what links are built on.
    package let base: String
    /// `req-` and a UUID: in every log line, in the answer's headers, and in what the request starts.
    package let requestID: String
    package internal(set) var microversion: Microversion?
    package let remoteAddress: String?
    package internal(set) var body: Body
    /// The type of the service that is called, as the catalog and access rules have it.
    let service: String
    let verifier: (any TokenVerifier)?

    /// The value of a `{name}` in the route's path.
    package subscript(parameter name: String) -> String {
        parameters.first { $0.name == name }?.value ?? ""
    }

    /// The id in a `{name}` of the route's path.
    package func id<Entity>(_ name: String, of: Entity.Type = Entity.self) -> ID<Entity> { ID(self[parameter: name]) }

    /// Who calls.
    ///
    /// - Throws: `CloudError.unauthenticated` without a token, and with one that gives no access now.
    package func caller() async throws -> Principal {
        guard let verifier, let token = authToken else { throw CloudError(.unauthenticated, Self.unauthenticatedMessage) }
        let caller = try await verifier.principal(of: token)
        if let rules = caller.accessRules, !rules.contains(where: { $0.allows(service: service, method: method.rawValue, path: path) }) {
            throw CloudError(.unauthenticated, Self.unauthenticatedMessage, detail: "no access rule allows \(method) \(path)")
        }
        return caller
    }

    /// Refuses who has no role at all: such a token is good for Identity alone, and nothing else does work for it.
    func requireRole() async throws {
        guard try await caller().roles.isEmpty else { return }
        throw CloudError.forbidden("A request with a body of this length needs a role on what its token is scoped to.")
    }

    /// The token that the caller shows. Headers that tell an identity without a token are never looked at.
    package var authToken: String? {
        guard let token = headers[.authToken], !token.isEmpty, token.utf8.count <= Self.longestToken else { return nil }
        return token
    }

    package static let unauthenticatedMessage = "The request you have made requires authentication."
    private static let longestToken = 4096

    /// Links and `next` pages are made from the URL that was asked for.
    package var url: String { base + path }
}

extension HTTPField.Name {
    package static let authToken = Self("X-Auth-Token")!  // tidy: allow force-unwrap, a constant
    package static let subjectToken = Self("X-Subject-Token")!  // tidy: allow force-unwrap, a constant
    package static let requestID = Self("x-openstack-request-id")!  // tidy: allow force-unwrap, a constant
    package static let globalRequestID = Self("X-OpenStack-Request-ID")!  // tidy: allow force-unwrap, a constant
    package static let apiVersion = Self("OpenStack-API-Version")!  // tidy: allow force-unwrap, a constant
}
