import CloudCore
import HTTPTypes
import NIOCore
import NIOHTTP1

/// A guard of one connection. It answers bytes that are not HTTP, closes connections that make no progress, and closes
/// in such a way that the client can still read the answer.
///
///     waiting --head--> answering --answer's end--> waiting
///        |                  '--answer says `Connection: close`--> closing --client closes, or a second--> closed
///        '--no head in time: closed       '--bytes that are no HTTP: an answer, closing
///
/// The guard sees one request at a time, because `HTTPServerPipelineHandler` stands before it and holds back the next
/// one.
final class ConnectionGuard: ChannelDuplexHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart
    typealias OutboundIn = HTTPServerResponsePart
    typealias OutboundOut = HTTPServerResponsePart

    /// The times that a client is given.
    struct Patience: Sendable {
        /// The time for the complete head of the next request, however its bytes are spread over it.
        var head: TimeAmount
        /// The longest time without a byte in the middle of a body, or with an answer that the client does not take.
        var silence: TimeAmount
        /// The time that a request has left once its client sends nothing more. Most such clients have gone; nothing
        /// tells them from those that only closed their own side and wait for the answer.
        var halfClosed: Duration
    }

    /// An event that is sent down the pipeline before a request's body is read. A client that sent
    /// `Expect: 100-continue` may then begin (RFC 9110 section 10.1.1).
    struct BodyWanted: Sendable {}

    /// An event that is sent down the pipeline when the work for a request begins.
    struct WorkBegan: Sendable {
        let budget: Budget
    }

    /// A request, with the progress of the request and of its answer.
    private struct Exchange {
        /// Whether the request is HTTP/1.0 or older.
        let isOld: Bool
        let keepsAlive: Bool
        var waitsForContinue: Bool
        /// Bytes of the body that have not arrived yet; nil for a chunked body.
        var bytesLeft: Int?
        var isReceived = false
        var isAnswerBegun = false
        var isAnswered = false
        /// Whether the connection is closed after the answer.
        var isLast = false
        /// The budget of the work for the request.
        var budget: Budget?

        init(_ head: HTTPRequestHead) {
            isOld = head.version.isOld
            keepsAlive = head.isKeepAlive
            waitsForContinue = !isOld && head.headers["expect"].contains { $0.lowercased() == "100-continue" }
            bytesLeft = head.headers.contains(name: "transfer-encoding") ? nil : Int(head.headers.first(name: "content-length") ?? "0")
        }
    }

    private enum State {
        case waiting
        case answering(Exchange)
        /// The last answer was given. Further input is dropped.
        case closing
    }

    private let patience: Patience
    private let refusal: @Sendable (CloudError) -> Reply
    private var state = State.waiting
    /// The timer that runs while the guard waits for the client to send.
    private var timer: Scheduled<Void>?
    /// The timer that runs while the client does not take the answer.
    private var stall: Scheduled<Void>?
    private var isInputClosed = false

    /// The time for which input is read and dropped after the last answer. Closing at once would reset the connection
    /// before the client has read the answer.
    private static let linger = TimeAmount.seconds(1)
    /// The most bytes of an unread body that are read and dropped after the answer. If more are left, the connection is
    /// closed.
    private static let mostDiscarded = 64 << 10

    /// - Parameter refusal: makes the answer to bytes that are not a request.
    init(patience: Patience, refusal: @escaping @Sendable (CloudError) -> Reply) {
        self.patience = patience
        self.refusal = refusal
    }

    func handlerAdded(context: ChannelHandlerContext) { waitForHead(context) }

    func handlerRemoved(context: ChannelHandlerContext) { stopTimers() }

    func channelInactive(context: ChannelHandlerContext) {
        if case .answering(let exchange) = state { exchange.budget?.end(as: .clientLeft) }
        stopTimers()
        context.fireChannelInactive()
    }

    // MARK: Requests

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        if case .closing = state { return }
        stopTimer()
        switch unwrapInboundIn(data) {
        case .head(let head):
            // Software before this server may choose another host if there are two, or none (RFC 9112 section 3.2).
            let hosts = head.headers["host"].count
            guard hosts == 1 || (hosts == 0 && head.version.isOld) else {
                return refuse(context, .badRequest("The request must have one Host header."))
            }
            state = .answering(Exchange(head))
        case .body(let part): exchange { $0.bytesLeft = $0.bytesLeft.map { $0 - part.readableBytes } }
        case .end:
            exchange { $0.isReceived = true }
            if case .answering(let exchange) = state, exchange.isAnswered { waitForHead(context) }
        }
        context.fireChannelRead(data)
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        context.fireChannelReadComplete()
        // No other handler asks for input that is only dropped.
        if case .closing = state { context.read() }
    }

    func read(context: ChannelHandlerContext) {
        // Only now does the server wait for the client. Before, the request's own task had not taken the bytes that
        // were there.
        if case .answering(let exchange) = state, !exchange.isReceived, timer == nil {
            timer = schedule(context, patience.silence) { $0.bodyIsMissing(context) }
        }
        context.read()
    }

    private func bodyIsMissing(_ context: ChannelHandlerContext) {
        guard case .answering(let exchange) = state, !exchange.isAnswerBegun else { return context.close(promise: nil) }
        fail(CloudError(.timeout, "The request's body did not arrive in time."), context)
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if let event = event as? ChannelEvent, event == .inputClosed {
            isInputClosed = true
            // A client that has sent everything may still read the answer. A client without a request has gone.
            guard case .answering(let exchange) = state else { return context.close(promise: nil) }
            exchange.budget?.shorten(to: patience.halfClosed)
        }
        context.fireUserInboundEventTriggered(event)
    }

    /// Handles bytes that are not HTTP, a head above its limits, a body that breaks off, and a lost connection.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // These bytes follow others that were not HTTP. Those were answered, or are about to be.
        if case .dataReceivedInErrorState? = error as? ByteToMessageDecoderError { return }
        let isProtocol = error is HTTPParserError
        switch state {
        case .waiting where isProtocol:
            let isTooLarge = (error as? HTTPParserError) == .headerOverflow
            refuse(
                context,
                isTooLarge
                    ? CloudError(.headersTooLarge, "The request's headers are too large.")
                    : CloudError.badRequest("The request is not valid HTTP."))
        case .answering(let exchange) where isProtocol && !exchange.isAnswerBegun:
            fail(CloudError.badRequest("The request's body is not complete, or not valid HTTP."), context)
        // The answer is on its way. Closing at once would reset the connection before the client has read it.
        case .answering(let exchange) where isProtocol && exchange.isAnswered: close(context)
        case .answering where isProtocol: exchange { $0.isLast = true }
        case .waiting, .answering: context.close(promise: nil)
        case .closing: break
        }
    }

    /// Passes the error to the reader of the request's body. The reader gets it instead of the body's end, and answers
    /// with it.
    private func fail(_ error: CloudError, _ context: ChannelHandlerContext) {
        exchange { $0.isLast = true }
        context.fireErrorCaught(error)
    }

    // MARK: Answers

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if let event = event as? WorkBegan {
            begin(event.budget, context)
            promise?.succeed()
            return
        }
        guard event is BodyWanted else { return context.triggerUserOutboundEvent(event, promise: promise) }
        if case .answering(let current) = state, current.waitsForContinue, !current.isReceived, !current.isAnswerBegun {
            exchange { $0.waitsForContinue = false }
            context.writeAndFlush(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: .continue))), promise: nil)
        }
        promise?.succeed()
    }

    private func begin(_ budget: Budget, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return budget.end(as: .clientLeft) }
        if isInputClosed { budget.shorten(to: patience.halfClosed) }
        exchange { $0.budget = budget }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        guard case .answering(var exchange) = state, !exchange.isAnswered else {
            promise?.fail(ChannelError.ioOnClosedChannel)
            return
        }
        switch unwrapOutboundIn(data) {
        case .head(var head):
            begin(&head, of: &exchange)
            state = .answering(exchange)
            context.write(wrapOutboundOut(.head(head)), promise: promise)
        case .body: context.write(data, promise: promise)
        case .end:
            // The state is set before the write, because the write may bring in the next request.
            exchange.isAnswered = true
            if exchange.isLast {
                context.writeAndFlush(data, promise: promise)
                close(context)
            } else {
                state = .answering(exchange)
                if exchange.isReceived { waitForHead(context) }
                context.write(data, promise: promise)
            }
        }
    }

    /// Decides whether the connection ends with this answer, and sets the `Connection` header accordingly.
    private func begin(_ head: inout HTTPResponseHead, of exchange: inout Exchange) {
        exchange.isAnswerBegun = true
        let isBodyBrief = exchange.isReceived || (!exchange.waitsForContinue && exchange.bytesLeft.map { $0 <= Self.mostDiscarded } ?? false)
        let says = head.headers[canonicalForm: "connection"].contains { $0.lowercased() == "close" }
        if says || !exchange.keepsAlive || !isBodyBrief || isInputClosed { exchange.isLast = true }
        if exchange.isOld {
            // HTTP/1.0 has no chunked encoding: an answer of unknown length ends with the connection.
            head.version = .http1_0
            if !head.headers.contains(name: "content-length") { exchange.isLast = true }
            head.headers.replaceOrAdd(name: "Connection", value: "keep-alive")
        }
        if exchange.isLast { head.headers.replaceOrAdd(name: "Connection", value: "close") }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        stall?.cancel()
        stall = context.channel.isWritable ? nil : schedule(context, patience.silence) { _ in context.close(promise: nil) }
        context.fireChannelWritabilityChanged()
    }

    func close(context: ChannelHandlerContext, mode: CloseMode, promise: EventLoopPromise<Void>?) {
        guard mode == .output else { return context.close(mode: mode, promise: promise) }
        if case .closing = state { promise?.succeed() } else { close(context, promise) }
    }

    private func refuse(_ context: ChannelHandlerContext, _ error: CloudError) {
        let reply = refusal(error)
        var bytes: [UInt8] = []
        if case .bytes(let content) = reply.content { bytes = content }
        var headers = HTTPHeaders(reply.headers.map { ($0.name.rawName, $0.value) })
        headers.replaceOrAdd(name: "Content-Length", value: "\(bytes.count)")
        headers.replaceOrAdd(name: "Connection", value: "close")
        let status = HTTPResponseStatus(statusCode: reply.status.code, reasonPhrase: reply.status.reasonPhrase)
        context.write(wrapOutboundOut(.head(HTTPResponseHead(version: .http1_1, status: status, headers: headers))), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(bytes: bytes)))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        close(context)
    }

    // MARK: Waiting

    /// Closes the output after the last answer. The client sees the end and may then close.
    private func close(_ context: ChannelHandlerContext, _ promise: EventLoopPromise<Void>? = nil) {
        state = .closing
        stopTimer()
        // The time to linger begins when the client has taken the whole answer: a large answer may take longer than
        // that. `stall` ends a client that does not take it.
        let isOut = promise ?? context.eventLoop.makePromise(of: Void.self)
        isOut.futureResult.assumeIsolated().whenComplete { [self] _ in
            guard context.channel.isActive else { return }
            timer = schedule(context, isInputClosed ? .zero : Self.linger) { _ in context.close(promise: nil) }
        }
        context.close(mode: .output, promise: isOut)
        context.read()
    }

    private func waitForHead(_ context: ChannelHandlerContext) {
        state = .waiting
        stopTimer()
        timer = schedule(context, patience.head) { _ in context.close(promise: nil) }
    }

    private func exchange(_ change: (inout Exchange) -> Void) {
        guard case .answering(var exchange) = state else { return }
        change(&exchange)
        state = .answering(exchange)
    }

    private func schedule(
        _ context: ChannelHandlerContext, _ time: TimeAmount, _ action: @escaping (ConnectionGuard) -> Void
    ) -> Scheduled<Void> {
        context.eventLoop.assumeIsolated().scheduleTask(in: time) { action(self) }
    }

    private func stopTimer() {
        timer?.cancel()
        timer = nil
    }

    private func stopTimers() {
        stopTimer()
        stall?.cancel()
        stall = nil
    }
}

extension HTTPVersion {
    fileprivate var isOld: Bool { major < 1 || (major == 1 && minor == 0) }
}
