import Access
import CloudCore
import HTTPKit
import Resources

/// The route of the revocation events, and the routes of the former certificate tokens, which only answer with an
/// error.
struct RevocationRoutes: Sendable {
    let revocations: RevocationService

    var all: [Route] {
        [
            .get("/v3/OS-REVOKE/events", events),
            .get("/v3/auth/tokens/OS-PKI/revoked") { _ in throw CloudError.forbidden("Tokens are not stored, so none are listed.") },
            .get("/v3/OS-SIMPLE-CERT/ca") { _ in throw Self.gone },
            .get("/v3/OS-SIMPLE-CERT/certificates") { _ in throw Self.gone },
        ]
    }

    private static let gone = CloudError(.gone, "This API is no longer available: tokens are not signed with certificates any more.")

    private func events(_ call: Call) async throws -> Reply {
        let found = try await revocations.events(call.query, by: call.caller())
        return Views.list("events", found, call, Self.write)
    }

    /// Writes an event. It has only the ids that the event names: an absent one does not restrict the event.
    private static func write(_ event: Revocation, _ writer: inout JSONWriter) {
        if let id = event.userID { writer.member("user_id", id) }
        if let id = event.roleID { writer.member("role_id", id) }
        if let id = event.domainID { writer.member("domain_id", id) }
        if let id = event.projectID { writer.member("project_id", id) }
        if let id = event.auditID { writer.member("audit_id", id) }
        if let id = event.auditChainID { writer.member("audit_chain_id", id) }
        if let id = event.trustID { writer.member("OS-TRUST:trust_id", id) }
        if let id = event.consumerID { writer.member("OS-OAUTH1:consumer_id", id) }
        if let id = event.accessTokenID { writer.member("OS-OAUTH1:access_token_id", id) }
        writer.member("issued_before", event.issuedBefore.iso8601Microseconds)
        writer.member("revoked_at", event.revokedAt.iso8601Microseconds)
    }
}
