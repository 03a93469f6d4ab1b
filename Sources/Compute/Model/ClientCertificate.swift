import CloudCore
import Crypto

/// A certificate that a user of Windows guests proves to be itself with: self-signed, for client authentication, with the user's id as its
/// name and as its user principal name. Its key is one of P-256.
enum ClientCertificate {
    private static let lifetime = Duration.seconds(3650 * 86_400)
    /// Of OpenSSL's and Windows' own files.
    private static let macRounds = 2048

    private static let commonName = "2.5.4.3"
    private static let signatureAlgorithm = "1.2.840.10045.4.3.2"
    private static let extendedKeyUsage = "2.5.29.37"
    private static let clientAuthentication = "1.3.6.1.5.5.7.3.2"
    private static let subjectAlternativeName = "2.5.29.17"
    private static let userPrincipalName = "1.3.6.1.4.1.311.20.2.3"

    /// - Returns: the certificate as PEM, and the private half: a PKCS #12 file with an empty password, in Base64.
    static func generate(for userID: String, _ world: World) throws -> (certificate: String, privateKey: Secret) {
        let key = try P256.Signing.PrivateKey(rawRepresentation: world.random.bytes(32))
        let algorithm = DER.sequence(DER.identifier(signatureAlgorithm))
        let name = DER.sequence(DER.set(DER.sequence(DER.identifier(commonName), DER.utf8(userID))))
        let principal = DER.sequence(
            DER.tagged(0, DER.identifier(userPrincipalName) + DER.tagged(0, DER.utf8("\(userID)@localhost"))))
        let extensions = DER.sequence(
            DER.sequence(DER.identifier(extendedKeyUsage), DER.octets(DER.sequence(DER.identifier(clientAuthentication)))),
            DER.sequence(DER.identifier(subjectAlternativeName), DER.octets(principal)))
        let body = DER.sequence(
            DER.tagged(0, DER.integer([2])), DER.integer([0x40] + world.random.bytes(15)), algorithm, name,
            DER.sequence(time(world.now), time(world.now + lifetime)), name, Array(key.publicKey.derRepresentation),
            DER.tagged(3, extensions))
        let signature = Array(try key.signature(for: body).derRepresentation)
        let certificate = DER.sequence(body, algorithm, DER.bits(signature))
        let file = bundle(certificate, Array(key.derRepresentation), salt: world.random.bytes(16))
        return (pem(certificate), Secret(Base64.encode(file)))
    }

    /// GeneralizedTime after 2049, UTCTime before (RFC 5280 section 4.1.2.5).
    private static func time(_ at: Timestamp) -> [UInt8] {
        let digits = at.iso8601Seconds.utf8.filter { $0 >= 48 && $0 <= 57 }
        let text = Array(digits) + [UInt8(ascii: "Z")]
        return text.starts(with: "20".utf8) && text[2] < UInt8(ascii: "5") ? DER.element(0x17, Array(text.dropFirst(2))) : DER.element(0x18, text)
    }

    private static func pem(_ certificate: [UInt8]) -> String {
        var lines = ["-----BEGIN CERTIFICATE-----"]
        var rest = Base64.encode(certificate)[...]
        while !rest.isEmpty {
            lines.append(String(rest.prefix(64)))
            rest = rest.dropFirst(64)
        }
        return (lines + ["-----END CERTIFICATE-----", ""]).joined(separator: "\n")
    }

    // MARK: PKCS #12 (RFC 7292)

    private static let data = "1.2.840.113549.1.7.1"
    private static let keyBag = "1.2.840.113549.1.12.10.1.1"
    private static let certificateBag = "1.2.840.113549.1.12.10.1.3"
    private static let x509Certificate = "1.2.840.113549.1.9.22.1"
    private static let localKeyID = "1.2.840.113549.1.9.21"
    private static let sha256 = "2.16.840.1.101.3.4.2.1"

    private static func bundle(_ certificate: [UInt8], _ key: [UInt8], salt: [UInt8]) -> [UInt8] {
        let same = DER.set(
            DER.sequence(DER.identifier(localKeyID), DER.set(DER.octets(Array(Insecure.SHA1.hash(data: certificate))))))
        let bags = DER.sequence(
            DER.sequence(DER.identifier(keyBag), DER.tagged(0, key), same),
            DER.sequence(
                DER.identifier(certificateBag),
                DER.tagged(0, DER.sequence(DER.identifier(x509Certificate), DER.tagged(0, DER.octets(certificate)))), same))
        let safe = DER.sequence(content(bags))
        let code = HMAC<SHA256>.authenticationCode(for: safe, using: SymmetricKey(data: macKey(salt)))
        let mac = DER.sequence(
            DER.sequence(DER.sequence(DER.identifier(sha256), [0x05, 0]), DER.octets(Array(code))), DER.octets(salt),
            DER.integer([UInt8(macRounds >> 8), UInt8(macRounds & 0xff)]))
        return DER.sequence(DER.integer([3]), content(safe), mac)
    }

    private static func content(_ bytes: [UInt8]) -> [UInt8] {
        DER.sequence(DER.identifier(data), DER.tagged(0, DER.octets(bytes)))
    }

    /// RFC 7292 appendix B.2 with SHA-256, for an empty password: its two zero bytes are all of it.
    private static func macKey(_ salt: [UInt8]) -> [UInt8] {
        let block = 64
        let salted = (0..<block).map { salt[$0 % salt.count] }
        var digest = Array(SHA256.hash(data: [UInt8](repeating: 3, count: block) + salted + [UInt8](repeating: 0, count: block)))
        for _ in 1..<macRounds { digest = Array(SHA256.hash(data: digest)) }
        return digest
    }
}
