import CloudCore
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypes

/// Keeps one connection from harming the others: answers what is no HTTP, ends what does not get on.
///
///     waiting for a head --(head)--> in a request --(end of its answer)--> waiting for a head
///        | no head in time: close       | the answer says `Connection: close`: close after it
final class ConnectionGuard: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let headDeadline: TimeAmount
    private let refusal: @Sendable (CloudError) -> Reply
    private var waiting: Scheduled<Void>?
    private var isClosing = false
    /// Requests whose answer has not ended.
    private var answersOpen = 0
    /// Whether a part of the oldest of those answers is on its way already.
    private var isAnswering = false
    /// Whether the guard itself has answered: what a route still says comes too late.
    private var hasRefused = false

    /// - Parameters:
    ///   - headDeadline: how long a connection may take to send the next request's head: also that of a client which
    ///     sends a byte now and then.
    ///   - refusal: what is answered to bytes that are no request.
    init(headDeadline: TimeAmount, refusal: @escaping @Sendable (CloudError) -> Reply) {
        self.headDeadline = headDeadline
        self.refusal = refusal
    }

    func handlerAdded(context: ChannelHandlerContext) { wait(context) }

    func handlerRemoved(context: ChannelHandlerContext) { waiting?.cancel() }

    func channelInactive(context: ChannelHandlerContext) {
        waiting?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .head = unwrapInboundIn(data) {
            waiting?.cancel()
            answersOpen += 1
        }
        if !isClosing { context.fireChannelRead(data) }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if hasRefused {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(let head):
            isAnswering = true
            if head.headerFields[.connection]?.lowercased() == "close" { isClosing = true }
            context.write(data, promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            answersOpen -= 1
            isAnswering = false
            if isClosing {
                context.writeAndFlush(data, promise: promise)
                context.close(mode: .output, promise: nil)
                context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(200)) { context.close(promise: nil) }
            } else {
                context.write(data, promise: promise)
                if answersOpen == 0 { wait(context) }
            }
        }
    }

    /// Bytes that are no HTTP, in a head or in a body: an answer, where none is under way or still owed to an earlier request, and
    /// the end.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        guard !isClosing else { return }
        isClosing = true
        guard !isAnswering, answersOpen <= 1 else { return context.close(promise: nil) }
        hasRefused = true
        let isTooLarge = (error as? HTTPParserError) == .headerOverflow
        var reply = refusal(
            isTooLarge
                ? CloudError(.headersTooLarge, "The request's headers are too large.")
                : CloudError.badRequest("The request is not valid HTTP."))
        reply.headers[.connection] = "close"
        if case .bytes(let bytes) = reply.content {
            reply.headers[.contentLength] = String(bytes.count)
            context.write(wrapOutboundOut(.head(HTTPResponse(status: reply.status, headerFields: reply.headers))), promise: nil)
            context.write(wrapOutboundOut(.body(ByteBuffer(bytes: bytes))), promise: nil)
        } else {
            context.write(wrapOutboundOut(.head(HTTPResponse(status: reply.status, headerFields: reply.headers))), promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        // What the client still sends is read and dropped for a moment: closing at once would reset the connection
        // before it has read the answer.
        context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(500)) { context.close(promise: nil) }
    }

    private func wait(_ context: ChannelHandlerContext) {
        waiting?.cancel()
        waiting = context.eventLoop.assumeIsolated().scheduleTask(in: headDeadline) { context.close(promise: nil) }
    }
}
