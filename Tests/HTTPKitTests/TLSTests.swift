import CloudCore
import Foundation
import HTTPKit
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(10))) struct TLSTests {
    @Test("With a certificate the server answers over TLS, and links begin with https")
    func links() async throws {
        try await withCertificate { certificate, key in
            try await TestServer.run {
                $0.settings.certificate = certificate
                $0.settings.privateKey = key
                $0.certificate = certificate
            } _: { server in
                #expect(server.url.hasPrefix("https://127.0.0.1:"))
                try await server.connect { wire in
                    #expect(try await wire.ask("GET", "/sample/things").json["base"]?.string == "https://cloud.test/sample")
                    #expect(try await wire.ask("GET", "/sample/large?size=300000").body.count == 300_000)
                    #expect(try await wire.ask("POST", "/sample/bytes", body: String(repeating: "x", count: 50_000)).status == 200)
                    let last = try await wire.ask("GET", "/sample/things", ["Connection: close"])
                    #expect(last.status == 200)
                    #expect(await wire.ends())
                }
                try await server.connect { wire in
                    try await wire.send("POST /sample/bytes HTTP/1.1\r\nHost: x\r\nContent-Length: 100001\r\n\r\n")
                    #expect(try await wire.answer().status == 413)
                    #expect(await wire.ends())
                }
                // A client that speaks plain HTTP to this port gets no answer.
                try await Wire.connect(port: server.port) { wire in
                    try await wire.send("GET /sample/things HTTP/1.1\r\nHost: x\r\n\r\n")
                    await #expect(throws: Wire.Ended.self) { _ = try await wire.answer() }
                }
            }
        }
    }

    @Test("An invalid certificate ends the start")
    func refused() async throws {
        try await withTemporaryDirectory { folder in
            try Data("nothing".utf8).write(to: URL(filePath: folder + "/c.pem"))
            await #expect(throws: (any Error).self) {
                try await TestServer.run {
                    $0.settings.certificate = folder + "/c.pem"
                    $0.settings.privateKey = folder + "/c.pem"
                } _: { _ in }
            }
        }
    }

    /// Runs `body` with a self-signed certificate for `localhost` and its key, in PEM files.
    private func withCertificate(_ body: (_ certificate: String, _ key: String) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            let (certificate, key) = (folder + "/certificate.pem", folder + "/key.pem")
            let openssl = Process()
            openssl.executableURL = URL(filePath: "/usr/bin/env")
            openssl.arguments = [
                "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate,
            ]
            openssl.standardError = FileHandle.nullDevice
            try openssl.run()
            openssl.waitUntilExit()
            try #require(openssl.terminationStatus == 0)
            try await body(certificate, key)
        }
    }
}
