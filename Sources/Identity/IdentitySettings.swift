import CloudCore

/// The settings of Identity that an operator can change.
package struct IdentitySettings: Sendable {
    /// The time for which a token is valid.
    package var tokenLifetime: Duration = .seconds(3600)
    /// The time after a token's end during which it is still shown to services that ask with `allow_expired`.
    package var expiredTokenGrace: Duration = .seconds(48 * 3600)
    /// The time after which the key that seals tokens is replaced.
    package var keyRotation: Duration = .seconds(24 * 3600)
    /// The time for which a half-finished multi-factor authentication (a receipt) can be continued.
    package var receiptLifetime: Duration = .seconds(300)
    /// The time for which an OAuth1 request token waits for a user's permission.
    package var requestTokenLifetime: Duration = .seconds(8 * 3600)
    /// The lifetime of an OAuth1 access token.
    package var accessTokenLifetime: Duration = .seconds(24 * 3600)
    /// The most levels of projects below a domain.
    package var projectTreeDepth = 5
    /// The longest chain of redelegated trusts.
    package var redelegationDepth = 3
    /// The most credentials of one user. EC2 keys are credentials.
    package var credentialsPerUser = Limits.owner.credentials.most
    /// The most application credentials of one user.
    package var applicationCredentialsPerUser = Limits.owner.applicationCredentials.most
    /// Whether a passcode alone is enough to authenticate. Otherwise it counts only after another proof of the same
    /// user.
    package var passcodeStandsAlone = false
    package var limitModel = LimitModel.flat
    package var compliance = ComplianceSettings()
    package var logIns = LogInSettings()

    package init() {}

    /// The models by which limits in a tree of projects are enforced.
    package enum LimitModel: String, Sendable, CaseIterable {
        case flat
        case strictTwoLevel = "strict_two_level"
    }
}

/// The rules for passwords and accounts that PCI-DSS asks for. All are off by default.
package struct ComplianceSettings: Sendable {
    /// The number of wrong passwords in a row that locks a user out; nil for no lockout.
    package var lockoutFailureAttempts: Int?
    package var lockoutDuration: Duration = .seconds(1800)
    package var passwordExpiresDays: Int?
    /// The number of recent passwords, with the present one, that a new password must differ from. With 1, only the
    /// present one is refused.
    package var uniqueLastPasswordCount = 0
    /// The number of days for which users must keep a password that they set themselves.
    package var minimumPasswordAgeDays = 0
    /// A regular expression that a new password must match as a whole.
    package var passwordRegex: String?
    /// The description of `passwordRegex` for error messages.
    package var passwordRegexDescription: String?
    /// The number of days after which a user who has not authenticated is disabled; nil for never.
    package var disableUserAccountDaysInactive: Int?
    /// Whether a password that somebody else has set must be changed before it can be used.
    package var changePasswordUponFirstUse = false

    package init() {}
}
