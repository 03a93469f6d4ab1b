import CloudCore
import Foundation

/// A connection to the cloud, on which one request follows the other. It blocks its thread, so a measured time has no
/// change of tasks in it.
final class HTTPLine {
    struct Answer {
        let status: Int
        let head: String
        let body: [UInt8]

        var json: JSON { (try? JSON.parse(body)) ?? .null }

        /// Returns the value of a header.
        ///
        /// - Parameter name: the name in lower case.
        func header(_ name: String) -> String? {
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }.map { line in
                String(line.dropFirst(name.count + 1)).trimmed
            }
        }
    }

    private let port: UInt16
    private var socket: Int32 = -1
    private var rest: [UInt8] = []

    /// - Parameter port: a port of this machine.
    init(port: UInt16) { self.port = port }

    deinit { if socket >= 0 { close(socket) } }

    func send(_ method: String, _ path: String, _ headers: [String: String], _ body: [UInt8] = []) throws -> Answer {
        if socket < 0 { try connect() }
        var head = "\(method) \(path) HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        try write(Array((head + "\r\n").utf8) + body)
        return try answer()
    }

    private func connect() throws {
        socket = Foundation.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Foundation.connect(socket, $0, size) }
        }
        guard result == 0 else { throw BenchError("the cloud takes no connection on port \(port)") }
        var isOn: Int32 = 1
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &isOn, socklen_t(MemoryLayout<Int32>.size))
    }

    private func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let rest = bytes.dropFirst(sent)
            // Without a signal if the cloud is gone (MSG_NOSIGNAL).
            let count = rest.withUnsafeBytes { Foundation.send(socket, $0.baseAddress, $0.count, 0x4000) }
            guard count > 0 else { throw BenchError("the cloud closed the connection") }
            sent += count
        }
    }

    private func fill() throws {
        try withUnsafeTemporaryAllocation(byteCount: 1 << 18, alignment: 1) { buffer in
            let count = recv(socket, buffer.baseAddress, buffer.count, 0)
            guard count > 0 else { throw BenchError("the cloud closed the connection") }
            rest.append(contentsOf: buffer[..<count])
        }
    }

    private func answer() throws -> Answer {
        let end = Array("\r\n\r\n".utf8)
        var found: Int?
        while found == nil {
            found =
                rest.count < 4 ? nil : (0...rest.count - 4).first { rest[$0] == 13 && Array(rest[$0..<$0 + 4]) == end }
            if found == nil { try fill() }
        }
        let head = String(decoding: rest[..<(found ?? 0)], as: UTF8.self)
        rest.removeFirst((found ?? 0) + 4)
        let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
        let length = Answer(status: status, head: head, body: []).header("content-length").flatMap { Int($0) } ?? 0
        while rest.count < length { try fill() }
        let body = Array(rest.prefix(length))
        rest.removeFirst(length)
        return Answer(status: status, head: head, body: body)
    }
}

/// A sentence that says why nothing can be measured.
struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
