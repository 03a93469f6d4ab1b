import CloudCore
import Crypto
import Foundation
import SwiftASN1
import TestSupport
import Testing
import X509

@testable import Compute

@Suite("Certificates of users")
struct ClientCertificateTests {
    /// Whether the key of `signer` has signed a certificate that is valid at a time. X509's own verifier takes only
    /// authorities for self-signed certificates, and these are none.
    private static func isValid(_ pem: String, signedBy signer: String, at time: Timestamp) throws -> Bool {
        let (certificate, signer) = (try Certificate(pemEncoded: pem), try Certificate(pemEncoded: signer))
        let date = Date(timeIntervalSince1970: Double(time.microseconds) / 1e6)
        return signer.publicKey.isValidSignature(certificate.signature, for: certificate)
            && certificate.issuer == signer.subject
            && certificate.notValidBefore <= date && date <= certificate.notValidAfter
    }

    @Test("A certificate is valid for ten years, and only by itself")
    func validity() throws {
        let world = World.test()
        let own = try ClientCertificate.generate(for: "user", world).certificate
        let twin = try ClientCertificate.generate(for: "user", world).certificate
        #expect(try Self.isValid(own, signedBy: own, at: world.now + .seconds(60)))
        #expect(try !Self.isValid(own, signedBy: twin, at: world.now + .seconds(60)), "another key signed it")
        let year = Duration.seconds(365 * 86_400)
        #expect(try Self.isValid(own, signedBy: own, at: world.now + year * 9.9))
        #expect(try !Self.isValid(own, signedBy: own, at: world.now + year * 10.1), "it has expired")
        #expect(try !Self.isValid(own, signedBy: own, at: world.now - .seconds(60)), "it is not valid yet")
    }

    @Test("A certificate names its user, and what it is for")
    func names() throws {
        let made = try Certificate(pemEncoded: try ClientCertificate.generate(for: "user", World.test()).certificate)
        #expect(made.subject == made.issuer && "\(made.subject)" == "CN=user")
        #expect(try made.extensions.extendedKeyUsage == ExtendedKeyUsage([.clientAuth]))
        let names = try #require(try made.extensions.subjectAlternativeNames)
        let principal = try ASN1Any(erasing: ASN1UTF8String("user@localhost"))
        #expect(
            Array(names) == [.otherName(.init(typeID: [1, 3, 6, 1, 4, 1, 311, 20, 2, 3], value: principal))])
        #expect(made.serialNumber.bytes.count == 16)
    }

    @Test("The private half opens in OpenSSL with an empty password", .enabled(if: OpenSSL.isInstalled))
    func privateHalf() async throws {
        let made = try ClientCertificate.generate(for: "user", World.test())
        try await withTemporaryDirectory { folder in
            let file = folder + "/user.pfx"
            try Data(try #require(Base64.decode(made.privateKey.reveal()))).write(to: URL(filePath: file))
            let text = try OpenSSL.run(["pkcs12", "-in", file, "-passin", "pass:", "-nodes"])
            #expect(text.contains(made.certificate.trimmed), "\(text)")
            let key = try #require(text.firstRange(of: "-----BEGIN PRIVATE KEY-----"))
            let end = try #require(text.firstRange(of: "-----END PRIVATE KEY-----"))
            let opened = try P256.Signing.PrivateKey(pemRepresentation: String(text[key.lowerBound..<end.upperBound]))
            let certificate = try Certificate(pemEncoded: made.certificate)
            #expect(certificate.publicKey == Certificate.PublicKey(opened.publicKey))
        }
    }

    @Test("A whole certificate has a fingerprint; garbage and each prefix of one are refused")
    func fingerprints() throws {
        let pem = try ClientCertificate.generate(for: "user", World.test()).certificate
        let bytes = try PEMDocument(pemString: pem).derBytes
        let hash = Insecure.SHA1.hash(data: bytes).map { Hex.text([$0]) }.joined(separator: ":")
        #expect(try SSHKey.fingerprint(certificate: pem) == hash)
        func refuses(_ bytes: some Collection<UInt8>) -> Bool {
            let text = "-----BEGIN CERTIFICATE-----\n\(Base64.encode(bytes))\n-----END CERTIFICATE-----\n"
            return (try? SSHKey.fingerprint(certificate: text)) == nil
        }
        for length in bytes.indices { #expect(refuses(bytes.prefix(length)), "the first \(length) bytes") }
        #expect(refuses(bytes + [0]))
        #expect(refuses(Array("0no certificate at all".utf8)))
        #expect(throws: CloudError.self) { try SSHKey.fingerprint(certificate: "garbage") }
        #expect(throws: CloudError.self) { try SSHKey.fingerprint(certificate: String(pem.dropLast(30))) }
    }
}

private enum OpenSSL {
    static let path = "/usr/bin/openssl"
    static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    static func run(_ arguments: [String]) throws -> String {
        let (process, output) = (Process(), Pipe())
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        return String(decoding: data, as: UTF8.self)
    }
}
