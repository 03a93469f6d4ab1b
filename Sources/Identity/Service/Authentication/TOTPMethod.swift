import CloudCore
import Crypto
import HTTPKit
import Resources
import SQL

/// The authentication method of six-digit passcodes that change every 30 seconds (RFC 6238). They are computed from
/// secrets in the user's credentials.
///
/// Six digits are few, so guessing is limited in three ways. A passcode is checked only for a user whom another method
/// has proved (unless `passcodeStandsAlone`). Several wrong passcodes in a row lock the user's passcodes. A passcode is
/// accepted only once.
struct TOTPMethod: Sendable {
    let identity: IdentityContext
    let users: UserService
    private let directory = UserDirectory()
    private let passcodes = PasscodeStore()

    private static let period: Int64 = 30
    /// The number of earlier windows whose passcodes are accepted, because clocks differ and people are slow.
    private static let previousWindows: Int64 = 1
    /// The number of wrong passcodes in a row that locks a user's passcodes, if no number is configured for passwords.
    static let mostFailures = Limits.logIn.passcodes.most

    /// Checks a passcode.
    ///
    /// - Parameters:
    ///   - known: the user whom another method or a receipt has already proved.
    ///   - address: the client's address; nil if it is not known.
    func prove(
        _ claim: AuthRequest.UserSecret, after known: ID<Kind.User>?, from address: String?
    ) async throws -> Proof {
        let account = FailedLogIns.Account(claim)
        try identity.logIns.check(account, from: address)
        do {
            let proof = try await compare(claim, after: known)
            identity.logIns.noteSuccess(account, from: address)
            return proof
        } catch let error as CloudError where error.kind == .unauthenticated {
            identity.logIns.noteFailure(account, from: address)
            throw error
        }
    }

    private func compare(_ claim: AuthRequest.UserSecret, after known: ID<Kind.User>?) async throws -> Proof {
        let (user, secrets) = try await identity.base.read { tx -> (User?, [[UInt8]]) in
            guard let user = try directory.find(claim.user, in: tx) else { return (nil, []) }
            guard known == user.id || identity.settings.passcodeStandsAlone else { return (nil, []) }
            return (user, try self.secrets(of: user.id, in: tx))
        }
        guard let user, user.isEnabled else { throw TokenService.refused("a wrong user or passcode") }
        let now = identity.world.now
        guard !PasswordPolicy(settings: identity.settings.compliance).isLockedOut(user, at: now) else {
            throw TokenService.refused("locked out")
        }
        let window = now.seconds / Self.period
        let matched = (0...Self.previousWindows).map { window - $0 }.first { window in
            // Every secret is tried, so that the time reveals nothing.
            secrets.reduce(false) { constantTimeEquals(Self.passcode($1, window: window).utf8, claim.secret.reveal().utf8) || $0 }
        }
        guard try await take(matched, of: user, at: now) else {
            try await users.noteFailure(of: user)
            throw TokenService.refused("a wrong or used passcode, or locked out")
        }
        try await users.noteSuccess(of: user)
        return Proof(user: user, .totp)
    }

    /// Accepts the passcode of a window once, or counts a failure. It is one transaction, so parallel guesses count
    /// like guesses in a row.
    private func take(_ window: Int64?, of user: User, at now: Timestamp) async throws -> Bool {
        let rules = identity.settings.compliance
        let most = user.has(User.Option.ignoreLockout) ? Int.max : rules.lockoutFailureAttempts ?? Self.mostFailures
        return try await identity.base.database.write { [passcodes] tx in
            var record = try passcodes.find(user.id, in: tx)
            if let failedAt = record.failedAt, now >= failedAt + rules.lockoutDuration { (record.failedAttempts, record.failedAt) = (0, nil) }
            guard record.failedAttempts < most else { return false }
            let isTaken = window.map { $0 > record.lastWindow } ?? false
            if isTaken {
                record = PasscodeStore.Record(lastWindow: window ?? 0)
            } else {
                (record.failedAttempts, record.failedAt) = (record.failedAttempts + 1, now)
            }
            try passcodes.put(record, of: user.id, in: tx)
            return isTaken
        }
    }

    private func secrets(of user: ID<Kind.User>, in tx: Transaction) throws -> [[UInt8]] {
        try CredentialStore().passcodeSecrets(of: user, in: tx).compactMap { secret in
            let context = "credential/\(secret.id)"
            guard let blob = identity.keyring.openKnown(secret.box, keyID: secret.keyID, .secret, context: context) else { return nil }
            return Base32.decode(String(decoding: blob, as: UTF8.self))
        }
    }

    /// Returns the six digits for a counter (RFC 4226 section 5.3).
    static func passcode(_ secret: [UInt8], window: Int64) -> String {
        let counter = (0..<8).reversed().map { UInt8(truncatingIfNeeded: window >> ($0 * 8)) }
        let mac = Array(HMAC<Insecure.SHA1>.authenticationCode(for: counter, using: SymmetricKey(data: secret)))
        let offset = Int(mac[mac.count - 1] & 15)
        let number = mac[offset..<offset + 4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7fff_ffff
        let digits = String(number % 1_000_000)
        return String(repeating: "0", count: 6 - digits.count) + digits
    }
}

/// Base32 (RFC 4648 section 6), as TOTP secrets are written.
enum Base32 {
    static func decode(_ text: String) -> [UInt8]? {
        var held: UInt32 = 0
        var bits = 0
        var out: [UInt8] = []
        for letter in text.uppercased().utf8 where letter != UInt8(ascii: "=") && letter != UInt8(ascii: " ") {
            let value: UInt8
            switch letter {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = letter - UInt8(ascii: "A")
            case UInt8(ascii: "2")...UInt8(ascii: "7"): value = letter - UInt8(ascii: "2") + 26
            default: return nil
            }
            held = held << 5 | UInt32(value)
            bits += 5
            if bits >= 8 {
                bits -= 8
                out.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
            }
        }
        return out
    }
}
