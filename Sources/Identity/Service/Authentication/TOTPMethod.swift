import CloudCore
import Crypto
import HTTPKit
import Resources
import SQL

/// A passcode of six digits that changes every 30 seconds (RFC 6238), from a secret in one of the user's credentials.
struct TOTPMethod: AuthenticationMethod {
    let identity: IdentityContext
    private let directory = UserDirectory()

    init(identity: IdentityContext) { self.identity = identity }

    private static let period: Int64 = 30
    /// Passcodes of the window before are taken too: clocks differ, and people are slow.
    private static let previousWindows: Int64 = 1

    func prove(_ parameters: JSONObject, _ call: Call) async throws -> Proof {
        let given = parameters["user"]?.object ?? [:]
        let reference = try AuthRequest.reference(given, at: "auth/identity/totp/user")
        let passcode = given["passcode"]?.string ?? ""
        let (user, secrets) = try await identity.base.read { tx -> (User?, [[UInt8]]) in
            guard let user = try directory.find(reference, in: tx) else { return (nil, []) }
            return (user, try self.secrets(of: user.id, in: tx))
        }
        let window = identity.world.now.seconds / Self.period
        let matches = secrets.contains { secret in
            (0...Self.previousWindows).contains { back in
                constantTimeEquals(Self.passcode(secret, window: window - back).utf8, passcode.utf8)
            }
        }
        guard let user, matches, user.isEnabled else { throw TokenService.refused("a wrong user or passcode") }
        return Proof(user: user, .totp)
    }

    private func secrets(of user: ID<Kind.User>, in tx: Transaction) throws -> [[UInt8]] {
        try tx.rows("SELECT id, sealed_blob, key_id FROM identity_credential WHERE user_id = ? AND type = 'totp'", user)
            .compactMap { row in
                let id: String = try row["id"]
                let box: [UInt8] = try row["sealed_blob"]
                guard let blob = identity.keyring.openKnown(box, keyID: try row["key_id"], .secret, context: "credential/\(id)") else {
                    return nil
                }
                return Base32.decode(String(decoding: blob, as: UTF8.self))
            }
    }

    /// Six digits of a counter (RFC 4226 section 5.3).
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
