import NIOCore
import NIOPosix

/// A check for an ssh server at an address.
enum SSHBanner {
    /// - Returns: the first line that the server sends, such as `SSH-2.0-…`; nil if none arrives. Connecting and
    ///   reading may take two seconds each.
    static func read(_ address: String, port: Int = 22) async -> String? {
        guard let channel = try? await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .connectTimeout(.seconds(2))
            .connect(host: address, port: port, channelInitializer: { channel in
                channel.eventLoop.makeCompletedFuture { try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel) }
            })
        else { return nil }
        let closing = channel.channel.eventLoop.scheduleTask(in: .seconds(2)) { channel.channel.close(promise: nil) }
        defer { closing.cancel() }
        return try? await channel.executeThenClose { inbound, _ in
            for try await bytes in inbound {
                let text = String(buffer: bytes)
                return text.hasPrefix("SSH-") ? String(text.prefix { $0 != "\r" && $0 != "\n" && $0 != "\r\n" }) : nil
            }
            return nil
        }
    }
}
