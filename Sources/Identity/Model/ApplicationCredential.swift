import CloudCore
import HTTPKit
import Resources

/// Some of a user's roles on one project, with a secret of its own. A program authenticates with it, so it need not
/// know its user's password.
struct ApplicationCredential: Resource {
    typealias Noun = Kind.ApplicationCredential

    struct Input: ResourceInput {
        /// The secret that the caller chose. If it is nil or empty, a random one is used.
        var secret: String?
        var roles: [RoleReference] = []
        var rules: [AccessRule] = []
    }

    var id: ID<Kind.ApplicationCredential> = ID("")
    var name = ""
    var userID: ID<Kind.User> = ID("")
    var projectID: ID<Kind.Project> = ID("")
    var description: String?
    var expiresAt: Timestamp?
    /// Whether tokens of this credential may create and delete other application credentials.
    var isUnrestricted = false
    var secretHash = ""

    static let schema = ResourceSchema<ApplicationCredential>(
        "application_credential", "application_credentials", table: "identity_application_credential",
        [
            // A body may have an id and a project, but both are ignored: the id is random, and the project is the
            // token's.
            Field("id", \.id, .string(0...64), update: .unknown),
            Field("name", \.name, .name, create: .required, update: .unknown, filter: .text),
            Field(own: "user_id", \.userID),
            Field("project_id", \.projectID, .string(0...64), update: .unknown),
            Field("description", \.description, .nullable(.text), update: .unknown),
            Field("expires_at", \.expiresAt, .nullable(.string(0...64, .moment)), update: .unknown, shown: .never),
            Field("expires_at", derived: { $0.expiresAt.map { .string($0.iso8601MicrosecondsNoZone) } ?? .null }),
            Field("unrestricted", \.storedUnrestricted, .nullable(.boolean), update: .unknown),
            Field(own: "secret_hash", \.secretHash, shown: .never),
            Field("system", derived: { _ in nil }),
            Field(input: .ignored("system", .nullable(.text)), update: .unknown),
            Field(input: .optional("secret", \.secret, .nullable(.string(0...PasswordPolicy.longest))), update: .unknown),
            Field(input: .optional("roles", \.roles, RoleReference.list(at: "application_credential/roles")), update: .unknown),
            Field(input: .optional("access_rules", \.rules, rules), update: .unknown),
        ])

    private static let rules = AccessRule.list(at: "application_credential/access_rules")

    /// The value in a body. Null means restricted.
    private var storedUnrestricted: Bool? {
        get { isUnrestricted }
        set { isUnrestricted = newValue ?? false }
    }
}
