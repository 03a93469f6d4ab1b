import CloudCore
import HTTPTypes
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A listener on a socket that the caller has opened, for example in another network namespace. Its clients are not
/// trusted: it takes few connections at a time, and fewer from one address.
package struct SocketServer: Sendable {
    package struct Settings: Sendable {
        package var headerLimit = 8 << 10
        /// The most connections in total; further ones are closed at once.
        package var connectionLimit = 256
        /// The most connections from one address.
        package var addressLimit = 16
        package var headDeadline: Duration = .seconds(10)
        package var silenceDeadline: Duration = .seconds(10)

        package init() {}
    }

    private let settings: Settings
    private let responder: Responder
    private let refusals: any ErrorEnvelope
    private let log: Logger

    package init(settings: Settings = Settings(), responder: Responder, refusals: any ErrorEnvelope, log: Logger) {
        self.settings = settings
        self.responder = responder
        self.refusals = refusals
        var quiet = log
        quiet.logLevel = .warning
        self.log = quiet
    }

    /// Serves until the task is cancelled. It takes over the descriptor and closes it.
    package func run(_ listener: Int32) async throws {
        let counts = ConnectionCounts(settings)
        let connection = GuardedConnection(
            responder: { [responder] request, writer, channel in
                var arrival = Responder.Arrival(
                    body: request.body, isTLS: false, remoteAddress: channel.remoteAddress?.ipAddress)
                arrival.willWork = channel.watch
                let reply = await responder.respond(to: request.head, arrival)
                let response = Response(status: reply.status, headers: reply.headers, body: reply.hummingbirdBody)
                try await writer.write(response: response.head, body: response.body)
            }, headerLimit: settings.headerLimit,
            patience: ConnectionGuard.Patience(
                head: .microseconds(settings.headDeadline.wholeMicroseconds),
                silence: .microseconds(settings.silenceDeadline.wholeMicroseconds),
                halfClosed: settings.silenceDeadline),
            holds: responder.instruments.holds, refusal: { [responder, refusals] in responder.refuse($0, refusals) })
        let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .bind(listener) { [log] channel in
                counts.admit(channel) ? connection.setup(channel: channel, logger: log).map { $0 as GuardedConnection.Value? } : channel.close().map { nil }
            }
        await withDiscardingTaskGroup { group in
            try? await server.executeThenClose { connections in
                for try await value in connections {
                    guard let value else { continue }
                    group.addTask { await connection.handle(value: value, logger: log) }
                }
            }
        }
    }
}

/// The number of connections of each address.
private final class ConnectionCounts: Sendable {
    private let settings: SocketServer.Settings
    private let counts = Mutex<[String: Int]>([:])

    init(_ settings: SocketServer.Settings) { self.settings = settings }

    func admit(_ channel: any Channel) -> Bool {
        let address = channel.remoteAddress?.ipAddress ?? "-"
        let isAdmitted = counts.withLock { counts in
            guard counts.values.reduce(0, +) < settings.connectionLimit, counts[address, default: 0] < settings.addressLimit else { return false }
            counts[address, default: 0] += 1
            return true
        }
        guard isAdmitted else { return false }
        channel.closeFuture.whenComplete { _ in
            self.counts.withLock { counts in
                counts[address] = counts[address].flatMap { $0 > 1 ? $0 - 1 : nil }
            }
        }
        return true
    }
}
