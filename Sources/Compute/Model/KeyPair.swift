import CloudCore
import Crypto
import SwiftASN1

/// A user's public key, which servers are given.
struct KeyPair: Sendable {
    enum Kind: String, Sendable, CaseIterable { case ssh, x509 }

    var userID: String
    var name: String
    /// The id of the key pair in the API.
    var number: Int
    var kind: Kind
    var publicKey: String
    var fingerprint: String
    var createdAt: Timestamp
}

/// Public keys in the format of OpenSSH's files (RFC 4253 section 6.6, RFC 5656, RFC 8709).
enum SSHKey {
    /// Returns the MD5 digest of the key's bytes, as pairs of hexadecimal digits between colons.
    ///
    /// - Throws: `CloudError.badRequest` if the text is no public key.
    static func fingerprint(_ text: String) throws -> String {
        let words = text.split(whereSeparator: \.isWhitespace)
        guard words.count >= 2, let blob = Base64.decode(String(words[1])), isKey(blob, kind: String(words[0])) else {
            throw CloudError.badRequest("Keypair data is invalid: failed to generate fingerprint")
        }
        return colons(Insecure.MD5.hash(data: blob))
    }

    /// Returns the SHA-1 digest of a certificate's bytes, in the same format.
    ///
    /// - Throws: `CloudError.badRequest` if the text has no complete certificate.
    static func fingerprint(certificate text: String) throws -> String {
        let lines = text.split(whereSeparator: \.isNewline).map(\.trimmed)
        guard let begin = lines.firstIndex(of: "-----BEGIN CERTIFICATE-----"), let end = lines.firstIndex(of: "-----END CERTIFICATE-----"),
            begin < end, let bytes = Base64.decode(lines[(begin + 1)..<end].joined()), (try? DER.parse(bytes)) != nil
        else { throw CloudError.badRequest("Keypair data is invalid: failed to generate X509 fingerprint.") }
        return colons(Insecure.SHA1.hash(data: bytes))
    }

    private static func colons(_ digest: some Sequence<UInt8>) -> String { digest.map { Hex.text([$0]) }.joined(separator: ":") }

    /// Returns whether the bytes are one key of that kind and nothing else.
    private static func isKey(_ blob: [UInt8], kind: String) -> Bool {
        var fields: [[UInt8]] = []
        var rest = blob[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return false }
            let length = rest.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { return false }
            fields.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        guard let first = fields.first, first == Array(kind.utf8) else { return false }
        return switch kind {
        case "ssh-rsa": fields.count == 3 && !fields[1].isEmpty && fields[2].count >= 128
        case "ssh-dss": fields.count == 5 && fields.dropFirst().allSatisfy { !$0.isEmpty }
        case "ssh-ed25519": fields.count == 2 && fields[1].count == 32
        case "ecdsa-sha2-nistp256": isPoint(fields, "nistp256", 65)
        case "ecdsa-sha2-nistp384": isPoint(fields, "nistp384", 97)
        case "ecdsa-sha2-nistp521": isPoint(fields, "nistp521", 133)
        case "sk-ssh-ed25519@openssh.com": fields.count == 3 && fields[1].count == 32
        case "sk-ecdsa-sha2-nistp256@openssh.com": fields.count == 4 && fields[2].count == 65
        default: false
        }
    }

    private static func isPoint(_ fields: [[UInt8]], _ curve: String, _ length: Int) -> Bool {
        fields.count == 3 && fields[1] == Array(curve.utf8) && fields[2].count == length && fields[2].first == 4
    }

    /// Generates an Ed25519 key.
    ///
    /// - Returns: the public key as one line, and the private key as an OpenSSH file (its PROTOCOL.key).
    static func generate(_ random: any Randomness, comment: String) throws -> (publicKey: String, privateKey: Secret) {
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: random.bytes(32))
        let publicBytes = Array(key.publicKey.rawRepresentation)
        let blob = field(Array("ssh-ed25519".utf8)) + field(publicBytes)
        let check = random.bytes(4)
        var secret = check + check + blob + field(Array(key.rawRepresentation) + publicBytes) + field(Array(comment.utf8))
        var pad: UInt8 = 1
        while !secret.count.isMultiple(of: 8) {
            secret.append(pad)
            pad += 1
        }
        let none = field(Array("none".utf8))
        let file = Array("openssh-key-v1\0".utf8) + none + none + field([]) + [0, 0, 0, 1] + field(blob) + field(secret)
        let text = Base64.encode(file)
        var lines = ["-----BEGIN OPENSSH PRIVATE KEY-----"]
        var rest = text[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(70)))
            rest = rest.dropFirst(70)
        }
        lines.append("-----END OPENSSH PRIVATE KEY-----\n")
        return ("ssh-ed25519 \(Base64.encode(blob)) \(comment)", Secret(lines.joined(separator: "\n")))
    }

    private static func field(_ bytes: [UInt8]) -> [UInt8] {
        let count = UInt32(bytes.count)
        return [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: count >> $0) } + bytes
    }
}
