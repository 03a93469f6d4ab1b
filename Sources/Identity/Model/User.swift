import CloudCore
import HTTPKit
import Resources

/// A user, who can authenticate.
struct User: Resource {
    typealias Noun = Kind.User

    struct Input: ResourceInput {
        var password = Update<String>.keep
        /// The hash of the password, which is computed before the transaction.
        var hash: String?
    }

    var id: ID<Kind.User> = ID("")
    var name = ""
    var domainID: ID<Kind.Domain> = ID("")
    var isEnabled = true
    var defaultProjectID: ID<Kind.Project>?
    var options: JSONObject = [:]
    var createdAt = Timestamp(microseconds: 0)
    /// The day of the last successful authentication, in days since the epoch. It is kept up to date only while
    /// inactivity disables users.
    var lastActiveDay: Int?
    /// The number of wrong passwords since the last right one.
    var failedAttempts = 0
    var failedAt: Timestamp?
    /// The end of the present password. It is stored here so that a list can show and filter it without reading
    /// passwords.
    var passwordExpiresAt: Timestamp?
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<User>(
        "user", "users", table: "identity_user", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("name", \.name, .name, create: .required, filter: .text),
            Field("domain_id", \.domainID, .id, update: .fixed, filter: .exact),
            Field("enabled", \.isEnabled, .boolean, filter: .exact),
            Field("default_project_id", \.defaultProjectID, .nullable(.string(0...64)), filter: .exact, shown: .whenSet),
            Field("options", \.options, Shape.userOptions),
            Field(own: "password_expires_at", \.passwordExpiresAt),
            Field(extra: "description", .nullable(.text)),
            // There is no federation, so no user comes from another identity provider.
            Field(extra: "federated", .array(.any, 0...0)),
            Field(input: .update("password", \.password, .string(0...4096))),
            Field(own: "created_at", \.createdAt, shown: .never),
            Field(own: "last_active_day", \.lastActiveDay, shown: .never),
            Field(own: "failed_attempts", \.failedAttempts, shown: .never),
            Field(own: "failed_at", \.failedAt, shown: .never),
        ])
}

/// A change of a user's own password.
struct PasswordChange: Sendable {
    var original = ""
    var wanted = ""

    static let form = Form.object(
        PasswordChange(),
        [
            .required("original_password", \.original, .string(0...4096)),
            .required("password", \.wanted, .string(0...4096)),
        ])
}

/// The options that an administrator can set for a single user.
extension User {
    enum Option {
        static let ignoreChangePasswordUponFirstUse = "ignore_change_password_upon_first_use"
        static let ignorePasswordExpiry = "ignore_password_expiry"
        static let ignoreLockout = "ignore_lockout_failure_attempts"
        static let lockPassword = "lock_password"
        static let ignoreInactivity = "ignore_user_inactivity"
        static let factorRules = "multi_factor_auth_rules"
        static let factorsEnabled = "multi_factor_auth_enabled"
    }

    func has(_ option: String) -> Bool { options[option] == true }

    /// The sets of methods that are each enough to authenticate. Empty if any single method is enough.
    var factorRules: [Set<String>] {
        guard options[Option.factorsEnabled] != false else { return [] }
        return options[Option.factorRules]?.array?.map { Set($0.array?.compactMap(\.string) ?? []) } ?? []
    }
}

extension Shape {
    static let userOptions = Shape.object([
        .init(User.Option.ignoreChangePasswordUponFirstUse, .nullable(.boolean)),
        .init(User.Option.ignorePasswordExpiry, .nullable(.boolean)),
        .init(User.Option.ignoreLockout, .nullable(.boolean)),
        .init(User.Option.lockPassword, .nullable(.boolean)),
        .init(User.Option.ignoreInactivity, .nullable(.boolean)),
        .init(User.Option.factorRules, .nullable(.array(.array(.string(1...64), 1...16, unique: true), 0...16, unique: true))),
        .init(User.Option.factorsEnabled, .nullable(.boolean)),
    ])
}
