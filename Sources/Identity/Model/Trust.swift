import CloudCore
import HTTPKit
import Resources

/// What one user lets another do: with some of their roles, on one project, in their own name or in the trustee's.
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
    /// Whether tokens of the trust show the trustor's name.
    var impersonates = false
    var expiresAt: Timestamp?
    /// How many tokens it can still be used for; nil when for any number.
    var remainingUses: Int?
    /// What it was handed on from.
    var redelegatedTrustID: ID<Kind.Trust>?
    /// How many more times it can be handed on. Nil only in a body that leaves the number open.
    var redelegationCount: Int?
    var extra: JSONObject = [:]
    /// What it hands on, as it was said: what these roles imply is looked up.
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
            // Deleted trusts are gone; clients expect the member.
            Field("deleted_at", derived: { _ in nil }),
            Field(input: .optional("allow_redelegation", \.isRedelegable, .nullable(.boolean)), update: .unknown),
            Field(input: .optional("roles", \.roles, RoleReference.list(at: "trust/roles")), update: .unknown),
        ])

    private static let most = Int64(Int32.max)

    /// A trust that has ended, or that was used as often as it may be, is as good as gone.
    func isUsable(at now: Timestamp) -> Bool { expiresAt.map { now <= $0 } ?? true && remainingUses.map { $0 > 0 } ?? true }
}
