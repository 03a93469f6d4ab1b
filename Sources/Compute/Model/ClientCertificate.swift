import CloudCore
import Crypto
import Foundation
import SwiftASN1
import X509

/// A certificate by which a user proves their identity to Windows guests. It is self-signed and for client
/// authentication. The user's id is its name and its user principal name. Its key is a P-256 key.
enum ClientCertificate {
    private static let lifetime = Duration.seconds(3650 * 86_400)
    private static let userPrincipalName: ASN1ObjectIdentifier = [1, 3, 6, 1, 4, 1, 311, 20, 2, 3]

    /// Makes a certificate and its key, which is valid for ten years from now.
    ///
    /// - Returns: the certificate as PEM, and the private half: a PKCS #12 file with an empty password, in Base64.
    static func generate(for userID: String, _ world: World) throws -> (certificate: String, privateKey: Secret) {
        let key = try P256.Signing.PrivateKey(rawRepresentation: world.random.bytes(32))
        let name = try DistinguishedName { CommonName(userID) }
        let principal = try ASN1Any(erasing: ASN1UTF8String("\(userID)@localhost"))
        let certificate = try Certificate(
            version: .v3, serialNumber: .init(bytes: [0x40] + world.random.bytes(15)),
            publicKey: .init(key.publicKey), notValidBefore: date(world.now), notValidAfter: date(world.now + lifetime),
            issuer: name, subject: name, signatureAlgorithm: .ecdsaWithSHA256,
            extensions: .init {
                try ExtendedKeyUsage([.clientAuth])
                SubjectAlternativeNames([.otherName(.init(typeID: userPrincipalName, value: principal))])
            }, issuerPrivateKey: .init(key))
        let pem = try certificate.serializeAsPEM()
        let file = try PersonalFile(
            certificate: pem.derBytes, key: Array(key.derRepresentation), salt: world.random.bytes(16))
        var coder = DER.Serializer()
        try coder.serialize(file)
        return (pem.pemString + "\n", Secret(Base64.encode(coder.serializedBytes)))
    }

    private static func date(_ at: Timestamp) -> Date {
        Date(timeIntervalSince1970: Double(at.microseconds / 1_000_000))
    }
}

/// A certificate and its key as one PKCS #12 file (RFC 7292) with an empty password.
private struct PersonalFile: DERSerializable {
    private static let data: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 7, 1]
    private static let keyBag: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 12, 10, 1, 1]
    private static let certificateBag: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 12, 10, 1, 3]
    private static let x509Certificate: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 22, 1]
    private static let localKeyID: ASN1ObjectIdentifier = [1, 2, 840, 113549, 1, 9, 21]
    private static let sha256: ASN1ObjectIdentifier = [2, 16, 840, 1, 101, 3, 4, 2, 1]
    /// The number of rounds for the key of the MAC, as in the files that OpenSSL and Windows write.
    private static let macRounds = 2048

    private let salt: [UInt8]
    /// The encoded content that the MAC protects: the bag of the key and the bag of the certificate.
    private let safe: [UInt8]

    init(certificate: [UInt8], key: [UInt8], salt: [UInt8]) throws {
        self.salt = salt
        let mark = Array(Insecure.SHA1.hash(data: certificate))
        var bags = DER.Serializer()
        try bags.sequence { bags in
            try bags.bag(Self.keyBag, mark) { $0.serializeRawBytes(key) }
            try bags.bag(Self.certificateBag, mark) { bag in
                try bag.sequence { bag in
                    try bag.serialize(Self.x509Certificate)
                    try bag.tagged { try $0.octets(certificate) }
                }
            }
        }
        var safe = DER.Serializer()
        try safe.sequence { try $0.content(bags.serializedBytes) }
        self.safe = safe.serializedBytes
    }

    func serialize(into coder: inout DER.Serializer) throws {
        try coder.sequence { coder in
            try coder.serialize(3)
            try coder.content(safe)
            try coder.sequence { coder in
                try coder.sequence { coder in
                    try coder.sequence { coder in
                        try coder.serialize(Self.sha256)
                        try coder.serialize(ASN1Null())
                    }
                    try coder.octets(Array(HMAC<SHA256>.authenticationCode(for: safe, using: macKey)))
                }
                try coder.octets(salt)
                try coder.serialize(Self.macRounds)
            }
        }
    }

    /// The key of the MAC, by RFC 7292 appendix B.2 with SHA-256. An empty password consists of its two zero bytes.
    private var macKey: SymmetricKey {
        let block = 64
        let salted = (0..<block).map { salt[$0 % salt.count] }
        let start = [UInt8](repeating: 3, count: block) + salted + [UInt8](repeating: 0, count: block)
        var digest = Array(SHA256.hash(data: start))
        for _ in 1..<Self.macRounds { digest = Array(SHA256.hash(data: digest)) }
        return SymmetricKey(data: digest)
    }

    fileprivate static func writeMark(_ mark: [UInt8], _ coder: inout DER.Serializer) throws {
        try coder.appendConstructedNode(identifier: .set) { coder in
            try coder.sequence { coder in
                try coder.serialize(localKeyID)
                try coder.appendConstructedNode(identifier: .set) { try $0.octets(mark) }
            }
        }
    }

    fileprivate static func writeContent(_ bytes: [UInt8], _ coder: inout DER.Serializer) throws {
        try coder.sequence { coder in
            try coder.serialize(data)
            try coder.tagged { try $0.octets(bytes) }
        }
    }
}

extension DER.Serializer {
    fileprivate mutating func sequence(_ body: (inout Self) throws -> Void) throws {
        try appendConstructedNode(identifier: .sequence, body)
    }

    /// Writes what `body` writes inside an element with the explicit tag 0.
    fileprivate mutating func tagged(_ body: (inout Self) throws -> Void) throws {
        try serialize(explicitlyTaggedWithTagNumber: 0, tagClass: .contextSpecific, body)
    }

    fileprivate mutating func octets(_ bytes: [UInt8]) throws {
        try serialize(ASN1OctetString(contentBytes: bytes[...]))
    }

    fileprivate mutating func content(_ bytes: [UInt8]) throws { try PersonalFile.writeContent(bytes, &self) }

    /// Writes a bag. A certificate and its key belong together if their marks are equal.
    fileprivate mutating func bag(
        _ kind: ASN1ObjectIdentifier, _ mark: [UInt8], _ body: (inout Self) throws -> Void
    ) throws {
        try sequence { coder in
            try coder.serialize(kind)
            try coder.tagged(body)
            try PersonalFile.writeMark(mark, &coder)
        }
    }
}
