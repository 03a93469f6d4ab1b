import CloudCore
import Crypto
import Foundation
import SwiftASN1
import TestSupport
import Testing
@_spi(FixedExpiryValidationTime) import X509

@testable import Compute

@Suite("Certificates of users")
struct ClientCertificateTests {
    private static func verdict(
        _ pem: String, trusting root: String, at time: Timestamp
    ) async throws -> CertificateValidationResult {
        let date = Date(timeIntervalSince1970: Double(time.microseconds / 1_000_000))
        var verifier = Verifier(rootCertificates: CertificateStore([try Certificate(pemEncoded: root)])) {
            RFC5280Policy(fixedExpiryValidationTime: date)
        }
        return await verifier.validate(leaf: try Certificate(pemEncoded: pem), intermediates: CertificateStore())
    }

    private static func isValid(_ pem: String, trusting root: String, at time: Timestamp) async throws -> Bool {
        guard case .validCertificate = try await verdict(pem, trusting: root, at: time) else { return false }
        return true
    }

    @Test("A certificate is valid for ten years, and only by itself")
    func validity() async throws {
        let world = World.test()
        let own = try ClientCertificate.generate(for: "user", world).certificate
        let twin = try ClientCertificate.generate(for: "user", world).certificate
        #expect(try await Self.isValid(own, trusting: own, at: world.now + .seconds(60)))
        #expect(try await !Self.isValid(own, trusting: twin, at: world.now + .seconds(60)), "another key signed it")
        let year = Duration.seconds(365 * 86_400)
        #expect(try await Self.isValid(own, trusting: own, at: world.now + year * 9.9))
        #expect(try await !Self.isValid(own, trusting: own, at: world.now + year * 10.1), "it has expired")
        #expect(try await !Self.isValid(own, trusting: own, at: world.now - .seconds(60)), "it is not valid yet")
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
