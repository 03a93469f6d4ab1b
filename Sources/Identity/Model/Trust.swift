import CloudCore
import HTTPKit
import Resources

/// A delegation by which one user (the trustor) lets another (the trustee) act on one project with some of the
/// trustor's roles, in the trustee's own name or in the trustor's.
struct Trust: Resource {
    typealias Noun = Kind.Trust

    struct Input: ResourceInput {
        var isRedelegable: Bool?
        var roles: [RoleReference] = []
    }

    var id: ID<Kind.Trust> = ID("")
    var trustorID: ID<Kind.User> = ID("")
    var trusteeID: ID<Kind.User> = ID("")
    var projectID: ID<Kind.Project>?
    /// Whether tokens of the trust show the trustor as their user.
    var impersonates = false
    var expiresAt: Timestamp?
    /// The number of tokens that can still be issued; nil for any number.
    var remainingUses: Int?
    /// The trust that this one was redelegated from.
    var redelegatedTrustID: ID<Kind.Trust>?
    /// The number of times that the trust can still be redelegated. Nil only in a body that leaves it open.
    var redelegationCount: Int?
    var extra: JSONObject = [:]
    /// The roles that the trust gives, as the body named them. The roles that they imply are looked up.
    var roleIDs: Set<ID<Kind.Role>> = []

    static let schema = ResourceSchema<Trust>(
        "trust", "trusts", table: "identity_trust", open: true,
        [
            Field(own: "id", \.id),
            Field("trustor_user_id", \.trustorID, .string(1...64), create: .required, update: .unknown, filter: .exact),
            Field("trustee_user_id", \.trusteeID, .string(1...64), create: .required, update: .unknown, filter: .exact),
            Field("project_id", \.projectID, .nullable(.string(1...64)), update: .unknown),
            Field("impersonation", \.impersonates, .boolean, create: .required, update: .unknown),
            Field("expires_at", \.expiresAt, .nullable(.string(0...64, .moment)), update: .unknown),
            Field("remaining_uses", \.remainingUses, .nullable(.integer(1...most)), update: .unknown),
            Field("redelegated_trust_id", \.redelegatedTrustID, .nullable(.string(1...64)), update: .unknown),
            Field("redelegation_count", \.redelegationCount, .nullable(.integer(0...most)), update: .unknown),
            // Deleted trusts are removed from the table, but clients expect the member.
            Field("deleted_at", derived: { _ in nil }),
            Field(input: .optional("allow_redelegation", \.isRedelegable, .nullable(.boolean)), update: .unknown),
            Field(input: .optional("roles", \.roles, RoleReference.list(at: "trust/roles")), update: .unknown),
        ])

    private static let most = Int64(Int32.max)

    /// Tells whether the trust has neither ended nor been used up. Otherwise it counts as missing.
    func isUsable(at now: Timestamp) -> Bool { expiresAt.map { now <= $0 } ?? true && remainingUses.map { $0 > 0 } ?? true }
}
