import CloudCore

/// What an operator may decide about Identity.
package struct IdentitySettings: Sendable {
    /// How long a token is valid.
    package var tokenLifetime: Duration = .seconds(3600)
    /// How long after its end a token is still shown to services that ask with `allow_expired`.
    package var expiredTokenGrace: Duration = .seconds(48 * 3600)
    /// How often the key that seals tokens is replaced.
    package var keyRotation: Duration = .seconds(24 * 3600)
    /// How long half an authentication (multi-factor) may wait for its other half.
    package var receiptLifetime: Duration = .seconds(300)
    /// How long an OAuth1 request token waits for a user who allows it.
    package var requestTokenLifetime: Duration = .seconds(8 * 3600)
    /// How long an OAuth1 access token gives what its user allowed.
    package var accessTokenLifetime: Duration = .seconds(24 * 3600)
    /// The deepest tree of projects, its domain not counted.
    package var projectTreeDepth = 5
    /// The longest chain of redelegated trusts.
    package var redelegationDepth = 3
    /// The most credentials that one user may have; EC2 keys are credentials.
    package var credentialsPerUser = 200
    /// The most application credentials that one user may have.
    package var applicationCredentialsPerUser = 200
    /// Whether a passcode alone opens a session. Otherwise it counts only beside another proof of the same user.
    package var passcodeStandsAlone = false
    package var limitModel = LimitModel.flat
    package var compliance = ComplianceSettings()

    package init() {}

    /// How the limits of projects that lie in each other go together.
    package enum LimitModel: String, Sendable, CaseIterable {
        case flat
        case strictTwoLevel = "strict_two_level"
    }
}

/// Rules for passwords and accounts, as PCI-DSS asks for. All are off unless they are set.
package struct ComplianceSettings: Sendable {
    /// Wrong passwords in a row after which a user is locked out.
    package var lockoutFailureAttempts: Int?
    package var lockoutDuration: Duration = .seconds(1800)
    package var passwordExpiresDays: Int?
    /// How many passwords must differ, the present one counted: 1 forbids to keep it.
    package var uniqueLastPasswordCount = 0
    /// How long a user's own new password must be kept.
    package var minimumPasswordAgeDays = 0
    /// A regular expression that a new password must match as a whole.
    package var passwordRegex: String?
    /// The same in words, for the message.
    package var passwordRegexDescription: String?
    /// Users who have not authenticated for so many days cannot any more.
    package var disableUserAccountDaysInactive: Int?
    /// A password that somebody else has set must be changed before it is used.
    package var changePasswordUponFirstUse = false

    package init() {}
}
