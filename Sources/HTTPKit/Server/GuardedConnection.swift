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
    /// A connection that nobody reads from yet. A server that is ending drops those that came last, unread; an asynchronous channel
    /// would end the process when it is dropped, so it is made by the task that takes the connection.
    struct Value: ServerChildChannelValue {
        let channel: any Channel
    }

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
            try channel.syncOptions?.setOption(.autoRead, value: false)
            return Value(channel: channel)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskExecutorPreference(LoopExecutor(value.channel.eventLoop)) {
            do {
                let channel = value.channel
                let connection = try await channel.eventLoop.submit {
                    let connection = try NIOAsyncChannel<HTTPRequestPart, HTTPResponsePart>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                    try channel.syncOptions?.setOption(.autoRead, value: true)
                    return connection
                }.get()
                await handleHTTP(asyncChannel: connection, logger: logger)
            } catch {
                // It was closed before anybody took it.
                value.channel.close(promise: nil)
            }
        }
    }
}
