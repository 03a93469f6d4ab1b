import CloudCore
import Foundation
import NIOCore
import NIOPosix
import NIOSSL
import TestSupport

/// The client's end of one connection, byte by byte. It can send what an HTTP library would never send.
final class Wire {
    struct Answer {
        var status = 0
        var headers: [(name: String, value: String)] = []
        var body: [UInt8] = []
        var version = ""

        /// Returns all values of the header, joined.
        subscript(header: String) -> String? {
            let values = headers.filter { $0.name.lowercased() == header.lowercased() }.map(\.value)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }

        var json: JSON { (try? JSON.parse(body)) ?? .null }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    struct Ended: Error {}

    let channel: any Channel
    private var iterator: NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator
    private let outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    private var bytes: [UInt8] = []

    private init(
        _ channel: any Channel, _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, _ outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) {
        self.channel = channel
        iterator = inbound.makeAsyncIterator()
        self.outbound = outbound
    }

    /// Runs `body` with a new connection.
    ///
    /// - Parameter certificate: the certificate of a server that speaks TLS.
    static func connect<Value>(
        port: Int, trusting certificate: String? = nil, isolation: isolated (any Actor)? = #isolation,
        _ body: (Wire) async throws -> Value
    ) async throws -> Value {
        let tls = try certificate.map { path in
            var configuration = TLSConfiguration.makeClientConfiguration()
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMFile(path))
            return try NIOSSLContext(configuration: configuration)
        }
        let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            // Only a hang is a failure, since a busy machine may take long to connect.
            .connectTimeout(.seconds(120))
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    if let tls { try channel.pipeline.syncOperations.addHandler(NIOSSLClientHandler(context: tls, serverHostname: "localhost")) }
                    return try NIOAsyncChannel<ByteBuffer, ByteBuffer>(
                        wrappingChannelSynchronously: channel, configuration: .init(isOutboundHalfClosureEnabled: true))
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            let wire = Wire(channel.channel, inbound, outbound)
            return try await body(wire)
        }
    }

    func send(_ text: String) async throws { try await outbound.write(ByteBuffer(string: text)) }

    /// Sends the text again and again until the server has cut the connection off.
    func sendInVain(_ text: String) async throws {
        try await eventually("the connection is cut off") {
            do {
                try await send(text)
                return false
            } catch {
                return true
            }
        }
    }

    /// Closes the sending side. The client can still read.
    func finish() { outbound.finish() }

    /// Breaks the connection, as a client whose process ends with unread data does.
    func breakOff() async throws {
        let socket = channel as? any SocketOptionProvider
        try await socket?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await channel.close().get()
    }

    /// Sends a request and returns its answer.
    func ask(_ method: String, _ target: String, _ headers: [String] = [], body: String? = nil) async throws -> Answer {
        let length = body.map { ["Content-Length: \($0.utf8.count)"] } ?? []
        let hosts = headers.contains { $0.lowercased().hasPrefix("host:") } ? [] : ["Host: cloud.test"]
        let lines = ["\(method) \(target) HTTP/1.1"] + hosts + length + headers
        try await send(lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? ""))
        return try await answer(toHead: method == "HEAD")
    }

    /// Reads the next answer.
    ///
    /// - Throws: `Ended` if the connection ends before the answer is complete.
    func answer(toHead: Bool = false) async throws -> Answer {
        var answer = Answer()
        let start = try await line().split(separator: " ", maxSplits: 2)
        answer.version = String(start.first ?? "")
        answer.status = Int(start.dropFirst().first ?? "") ?? 0
        while case let line = try await line(), !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            answer.headers.append((String(parts[0]), parts.count > 1 ? parts[1].trimmingCharacters(in: .whitespaces) : ""))
        }
        if toHead || answer.status < 200 || answer.status == 204 || answer.status == 304 { return answer }
        if answer["Transfer-Encoding"] == "chunked" {
            while case let size = Int(try await line(), radix: 16) ?? 0, size > 0 {
                answer.body += try await take(size)
                _ = try await line()
            }
            _ = try await line()
        } else if let length = answer["Content-Length"].flatMap({ Int($0) }) {
            answer.body = try await take(length)
        } else {
            while await more() {}
            answer.body = bytes
            bytes = []
        }
        return answer
    }

    /// Returns whether the server closes the connection without sending anything more.
    func ends() async -> Bool { bytes.isEmpty ? await !more() : false }

    private func line() async throws -> String {
        while true {
            if let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                let line = String(decoding: bytes[..<end], as: UTF8.self)
                bytes.removeFirst(end + 1)
                return line.hasSuffix("\r") || line.isEmpty ? String(line.dropLast(line.isEmpty ? 0 : 1)) : line
            }
            guard await more() else { throw Ended() }
        }
    }

    private func take(_ count: Int) async throws -> [UInt8] {
        while bytes.count < count { guard await more() else { throw Ended() } }
        defer { bytes.removeFirst(count) }
        return Array(bytes[..<count])
    }

    /// Reads more bytes, and returns false at the end of the connection or at a reset.
    private func more() async -> Bool {
        guard let part = try? await iterator.next() else { return false }
        bytes += part.readableBytesView
        return true
    }
}
