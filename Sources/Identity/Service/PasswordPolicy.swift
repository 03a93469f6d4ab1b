import CloudCore

/// What a new password must be, and when one ends.
struct PasswordPolicy: Sendable {
    let settings: ComplianceSettings
    private let day: Int64 = 86_400

    /// Passwords longer than this are refused: hashing one must not cost what its sender likes.
    static let longest = 4096

    /// - Throws: `CloudError.badRequest` that says what the password lacks.
    func checkStrength(_ password: Secret) throws {
        guard !password.isEmpty else { throw CloudError.badRequest("The password must not be empty.") }
        guard password.utf8Count <= Self.longest else { throw CloudError.badRequest("The password is too long.") }
        guard let pattern = settings.passwordRegex else { return }
        guard let regex = try? Regex(pattern) else { throw CloudError.internalError("password_regex is no regular expression") }
        guard (try? regex.wholeMatch(in: password.reveal())) != nil else {
            let wanted = settings.passwordRegexDescription ?? "the cloud's rules"
            throw CloudError.badRequest("The password does not match the requirements: \(wanted).")
        }
    }

    /// When a password that is set now ends; nil for never.
    func expiry(from now: Timestamp, for user: User) -> Timestamp? {
        guard let days = settings.passwordExpiresDays, !user.has(User.Option.ignorePasswordExpiry) else { return nil }
        return now + .seconds(Int64(days) * day)
    }

    /// When a password that somebody else sets now ends: at once, where it must be changed first.
    func expiryWhenReset(at now: Timestamp, for user: User) -> Timestamp? {
        if settings.changePasswordUponFirstUse, !user.has(User.Option.ignoreChangePasswordUponFirstUse),
            !user.has(User.Option.lockPassword)
        {
            return now
        }
        return expiry(from: now, for: user)
    }

    /// - Throws: `CloudError.badRequest` when the user's own password is too young to be changed by them.
    func checkAge(_ current: PasswordStore.Password, at now: Timestamp) throws {
        guard settings.minimumPasswordAgeDays > 0, current.isByOwner else { return }
        let from = current.createdAt + .seconds(Int64(settings.minimumPasswordAgeDays) * day)
        guard now >= from else {
            throw CloudError.badRequest(
                "The password cannot be changed before \(from.iso8601Seconds): it must be kept for "
                    + "\(settings.minimumPasswordAgeDays) days. Ask your administrator to reset it.")
        }
    }

    /// Passwords that are kept to be compared with a new one.
    var history: Int { max(settings.uniqueLastPasswordCount, 1) }

    func isLockedOut(_ user: User, at now: Timestamp) -> Bool {
        guard let most = settings.lockoutFailureAttempts, !user.has(User.Option.ignoreLockout), user.failedAttempts >= most,
            let failedAt = user.failedAt
        else { return false }
        return now < failedAt + settings.lockoutDuration
    }

    /// Whether the user has been away for too long.
    func isInactive(_ user: User, at now: Timestamp) -> Bool {
        guard let days = settings.disableUserAccountDaysInactive, !user.has(User.Option.ignoreInactivity) else { return false }
        let last = Int64(user.lastActiveDay ?? Int(user.createdAt.seconds / day))
        return now.seconds / day - last >= Int64(days)
    }
}
