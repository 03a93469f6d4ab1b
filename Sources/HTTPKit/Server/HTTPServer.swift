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

/// The one listener of the control plane.
package struct HTTPServer: Service {
    package struct Settings: Sendable {
        package var host: String
        /// 0 lets the system choose.
        package var port: Int
        /// PEM files of the certificate chain and its key; both or none.
        package var certificate: String?
        package var privateKey: String?
        /// The most bytes of all headers of a request.
        package var headerLimit = 32 << 10
        /// Connections beyond these wait in the backlog until others end.
        package var connectionLimit = 4096
        /// How long a connection may take to send a request's head.
        package var headDeadline: Duration = .seconds(75)
        /// How long it may be silent in the middle of a body, or leave an answer untaken.
        package var silenceDeadline: Duration = .seconds(75)

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
    ///   - refusals: how bytes that are no request are answered, before anybody knows which service they were for.
    ///   - whenReady: called once the port is open, with the URL that it is reached at.
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
        let patience = ConnectionGuard.Patience(head: settings.headDeadline.timeAmount, silence: settings.silenceDeadline.timeAmount)
        let plain = HTTPServerBuilder { [settings, responder, refusals] respond in
            GuardedConnection(responder: respond, headerLimit: settings.headerLimit, patience: patience) { error in
                responder.refuse(error, refusals)
            }
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
