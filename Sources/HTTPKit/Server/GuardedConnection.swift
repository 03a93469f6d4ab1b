import CloudCore
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import NIOHTTPTypesHTTP1

/// One connection, from bytes to requests: HTTP/1.1, one request at a time, under the guard.
///
///     bytes <-> HTTP/1 <-> one request at a time <-> ConnectionGuard <-> HTTP's types <-> Hummingbird's task
struct GuardedConnection: HTTPChannelHandler {
    typealias Value = NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>

    let responder: HTTPChannelHandler.Responder
    let headerLimit: Int
    let patience: ConnectionGuard.Patience
    let refusal: @Sendable (CloudError) -> Reply

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = headerLimit
            limits.maxHeaderListSize = headerLimit
            limits.maxHeaderFieldCount = 200
            let pipeline = channel.pipeline.syncOperations
            // The assistance lets a client's next request wait, unread, until the one before is answered; closes what is idle
            // at a drain; and keeps an error of the next request from cutting off the answer of this one.
            try pipeline.configureHTTPServerPipeline(
                withPipeliningAssistance: true, withErrorHandling: false, withOutboundHeaderValidation: false,
                withEncoderConfiguration: .init(), withDecoderLimitConfiguration: limits)
            try pipeline.addHandler(ConnectionGuard(patience: patience, refusal: refusal))
            try pipeline.addHandler(HTTP1ToHTTPServerCodec(secure: false))
            let connection = try Value(wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
            // A server that is ending drops the connections that came last, and an open one that is dropped ends the process: each is
            // held until it is closed, which the guard sees to.
            channel.closeFuture.whenComplete { _ in withExtendedLifetime(connection) {} }
            return connection
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            await handleHTTP(asyncChannel: value, logger: logger)
        }
    }
}
