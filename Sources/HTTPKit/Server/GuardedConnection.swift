import CloudCore
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// The pipeline of one connection, from bytes to requests: HTTP/1.1, one request at a time, with a `ConnectionGuard`.
///
///     bytes <-> HTTP/1 <-> one request at a time <-> ConnectionGuard <-> HTTP's types <-> Hummingbird's task
struct GuardedConnection: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder
    let headerLimit: Int
    let patience: ConnectionGuard.Patience
    let holds: LoopHolds
    let refusal: @Sendable (CloudError) -> Reply

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = headerLimit
            limits.maxHeaderListSize = headerLimit
            limits.maxHeaderFieldCount = 200
            let pipeline = channel.pipeline.syncOperations
            // The pipelining assistance leaves a client's next request unread until the current one is answered. It
            // closes idle connections when the server drains, and keeps an error in the next request from cutting off
            // the current answer.
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(ConnectionGuard(patience: patience, refusal: refusal))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            let connection = try Value(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            // A server that ends drops the newest connections, and dropping an open one ends the process. Each is
            // therefore held until it is closed, and the guard makes sure that it is.
            channel.closeFuture.whenComplete { _ in withExtendedLifetime(connection) {} }
            return connection
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop, holds)) {
            await handleHTTP(asyncChannel: value, logger: logger)
        }
    }
}
