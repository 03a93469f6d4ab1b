import NIOCore
import NIOPosix
import TestSupport

/// An HTTP server for tests, on a port of 127.0.0.1, that answers exactly the given bytes.
final class ScriptedServer: Sendable {
    struct Answer: Sendable {
        var bytes: [UInt8]
        /// Whether the connection is closed after the answer; otherwise it stays open and silent.
        var closes = true
        /// Whether the server keeps sending small pieces until the client closes.
        var trickles = false

        /// Returns a whole answer.
        static func status(_ line: String, headers: [String] = [], body: [UInt8] = []) -> Answer {
            let head = (["HTTP/1.1 \(line)", "Content-Length: \(body.count)"] + headers).joined(separator: "\r\n") + "\r\n\r\n"
            return Answer(bytes: Array(head.utf8) + body)
        }

        static func body(_ bytes: [UInt8]) -> Answer { status("200 OK", body: bytes) }
        static func redirect(to location: String, _ status: String = "302 Found") -> Answer {
            self.status(status, headers: ["Location: \(location)"])
        }
        static func raw(_ text: String, closes: Bool = true) -> Answer { Answer(bytes: Array(text.utf8), closes: closes) }
    }

    let port: Int
    private let channel: any Channel
    private let heads: Box<[String]>

    /// The clients' requests, up to the end of their headers.
    var requests: [String] { heads.value }

    /// Runs `body` with a server.
    ///
    /// - Parameter answer: returns the answer for the target of a request line.
    static func run<Value: Sendable>(
        _ answer: @escaping @Sendable (String) -> Answer, _ body: (ScriptedServer) async throws -> Value
    ) async throws -> Value {
        let heads = Box<[String]>([])
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .childChannelInitializer { child in
                child.eventLoop.makeCompletedFuture { try child.pipeline.syncOperations.addHandler(Handler(answer, heads)) }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(channel, heads)
        do {
            let value = try await body(server)
            try await channel.close()
            return value
        } catch {
            try? await channel.close()
            throw error
        }
    }

    private init(_ channel: any Channel, _ heads: Box<[String]>) {
        self.channel = channel
        self.heads = heads
        port = channel.localAddress?.port ?? 0
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let answer: @Sendable (String) -> Answer
        private let heads: Box<[String]>
        private var received = ""

        init(_ answer: @escaping @Sendable (String) -> Answer, _ heads: Box<[String]>) {
            self.answer = answer
            self.heads = heads
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received += String(buffer: unwrapInboundIn(data))
            guard received.hasSuffix("\r\n\r\n") else { return }
            let head = received
            received = ""
            heads.update { $0.append(head) }
            let words = head.split(separator: " ")
            let reply = answer(words.count > 1 ? String(words[1]) : "")
            let sent = context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply.bytes)))
            let channel = context.channel
            if reply.trickles {
                context.eventLoop.scheduleRepeatedTask(initialDelay: .zero, delay: .milliseconds(2)) { task in
                    guard channel.isActive else { return task.cancel() }
                    channel.writeAndFlush(ByteBuffer(repeating: 7, count: 4096), promise: nil)
                }
            } else if reply.closes {
                sent.whenComplete { _ in channel.close(promise: nil) }
            }
        }
    }
}
