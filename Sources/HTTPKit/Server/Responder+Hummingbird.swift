import CloudCore
import HTTPTypes
import Hummingbird
import NIOCore

/// The facts about a connection that the responder gets from Hummingbird.
struct ConnectionContext: InitializableFromSource, Sendable {
    let remoteAddress: String?
    private let channel: any Channel

    init(source: ApplicationRequestContextSource) {
        channel = source.channel
        remoteAddress = channel.remoteAddress?.ipAddress
    }

    /// Lets the connection end the budget when the client leaves.
    func watch(_ budget: Budget) { channel.watch(budget) }

    /// Tells a client that sent `Expect: 100-continue` to send its body.
    func wantBody() { channel.pipeline.triggerUserOutboundEvent(ConnectionGuard.BodyWanted(), promise: nil) }
}

extension Channel {
    /// Lets the guard of the connection end the budget when the client leaves.
    func watch(_ budget: Budget) {
        pipeline.triggerUserOutboundEvent(ConnectionGuard.WorkBegan(budget: budget), promise: nil)
    }
}

/// An adapter that makes our responder a responder of Hummingbird.
struct ServerResponder: HTTPResponder {
    typealias Context = ConnectionContext

    let responder: Responder
    let isTLS: Bool

    func respond(to request: Request, context: ConnectionContext) async throws -> Response {
        var arrival = Responder.Arrival(body: request.body, isTLS: isTLS, remoteAddress: context.remoteAddress)
        if request.headers[.expect] != nil { arrival.willRead = context.wantBody }
        arrival.willWork = context.watch
        let reply = await responder.respond(to: request.head, arrival)
        return Response(status: reply.status, headers: reply.headers, body: reply.hummingbirdBody)
    }
}

extension Reply {
    var hummingbirdBody: ResponseBody {
        switch content {
        // The length for a HEAD request must stay as the route set it. Hummingbird sets a length only if there is none.
        case .none: ResponseBody()
        case .bytes(let bytes): ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        case .stream(let length, let write):
            ResponseBody(contentLength: length) { writer in
                let channel = StreamWriter(writer)
                try await write(channel)
                try await channel.finish()
            }
        }
    }
}

/// A writer that passes the pieces of a stream to Hummingbird's writer, one after the other.
private final class StreamWriter: ReplyWriter, @unchecked Sendable {  // Used by one task at a time, as a stream is.
    private var writer: any ResponseBodyWriter

    init(_ writer: any ResponseBodyWriter) { self.writer = writer }

    func write(_ bytes: ByteBuffer) async throws { try await writer.write(bytes) }
    func finish() async throws { try await writer.finish(nil) }
}
