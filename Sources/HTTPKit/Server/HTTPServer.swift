import CloudCore
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
import NIOSSL
import ServiceLifecycle

/// The only listener of the control plane.
package struct HTTPServer: Service {
    package struct Settings: Sendable {
        package var host: String
        /// The port; 0 lets the system choose one.
        package var port: Int
        /// The PEM files of the certificate chain and of its private key; both are set, or neither.
        package var certificate: String?
        package var privateKey: String?
        /// The most bytes of all headers of a request.
        package var headerLimit = 32 << 10
        /// The most connections at a time; further ones wait in the socket's backlog until others end.
        package var connectionLimit = 4096
        /// The time that a connection has to send the head of a request.
        package var headDeadline: Duration = .seconds(75)
        /// The longest silence in the middle of a body, and the longest time that an answer may remain untaken.
        package var silenceDeadline: Duration = .seconds(75)
        /// The time that a request has left when its client has closed its side of the connection.
        package var halfClosedDeadline: Duration = .seconds(5)

        package init(host: String, port: Int) {
            self.host = host
            self.port = port
        }
    }

    private let settings: Settings
    private let responder: Responder
    private let refusals: any ErrorEnvelope
    private let whenReady: @Sendable (_ url: String, _ port: Int) async -> Void
    private let log: Logger

    /// - Parameters:
    ///   - refusals: the envelope for errors about bytes that are not a request, for which no service is known.
    ///   - whenReady: called once the port is open, with the server's URL and port.
    package init(
        settings: Settings, responder: Responder, refusals: any ErrorEnvelope, log: Logger,
        whenReady: @escaping @Sendable (_ url: String, _ port: Int) async -> Void
    ) {
        self.settings = settings
        self.responder = responder
        self.refusals = refusals
        self.log = log
        self.whenReady = whenReady
    }

    package func run() async throws {
        let isTLS = settings.certificate != nil
        var quiet = log
        quiet.logLevel = .warning
        let application = Application(
            responder: ServerResponder(responder: responder, isTLS: isTLS),
            server: try builder(),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit)),
            onServerRunning: { [settings, whenReady] channel in
                let port = channel.localAddress?.port ?? settings.port
                let host = settings.host.contains(":") ? "[\(settings.host)]" : settings.host
                await whenReady("\(isTLS ? "https" : "http")://\(host):\(port)", port)
            },
            logger: quiet)
        try await application.run()
    }

    private func builder() throws -> HTTPServerBuilder {
        let patience = ConnectionGuard.Patience(
            head: settings.headDeadline.timeAmount, silence: settings.silenceDeadline.timeAmount,
            halfClosed: settings.halfClosedDeadline)
        let plain = HTTPServerBuilder { [settings, responder, refusals] respond in
            GuardedConnection(
                responder: respond, headerLimit: settings.headerLimit, patience: patience,
                holds: responder.instruments.holds
            ) { error in responder.refuse(error, refusals) }
        }
        guard let certificate = settings.certificate, let privateKey = settings.privateKey else { return plain }
        var tls = TLSConfiguration.makeServerConfiguration(
            certificateChain: try NIOSSLCertificate.fromPEMFile(certificate).map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(file: privateKey, format: .pem)))
        tls.minimumTLSVersion = .tlsv12
        return try .tls(plain, tlsConfiguration: tls)
    }
}

extension Duration {
    fileprivate var timeAmount: TimeAmount { .microseconds(wholeMicroseconds) }
}
