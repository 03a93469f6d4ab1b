import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The revocation events.
struct RevocationService: Sendable {
    let identity: IdentityContext

    /// Returns the revocation events.
    ///
    /// - Parameter query: the query of the list. `since` is the moment from which on events are shown.
    /// - Throws: `CloudError.badRequest` if `since` is not a date and time.
    func events(_ query: Query, by caller: Principal) async throws -> [Revocation] {
        try identity.policy.require(.listRevokeEvents, caller)
        let since = try query["since"].flatMap { text in try text.isEmpty ? nil : Self.moment(text) }
        return try await identity.base.read { tx in try RevocationStore().all(since: since, in: tx) }
    }

    private static func moment(_ text: String) throws -> Timestamp {
        guard let moment = Timestamp(iso8601: text) else {
            throw CloudError.badRequest(
                "since must be a date and time as 2026-01-31T23:59:59Z, not '\(text.prefix(64))'.")
        }
        return moment
    }
}
