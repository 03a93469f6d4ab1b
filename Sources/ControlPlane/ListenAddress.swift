import Foundation
import Synchronization

/// The address on which the cloud listens: an IP address or a host name, and a port.
struct ListenAddress: Sendable, Equatable {
    let host: String
    /// The port; 0 lets the system choose one.
    let port: Int

    /// Reads `127.0.0.1:5000`, `cloud.example.org:5000` and `[::1]:5000`; nil for anything else.
    init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]) else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 32 && $0 < 127 }) else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }

    static let problem: @Sendable (String) -> String? = { text in
        ListenAddress(text) == nil ? "is '\(text)' and must be ADDRESS:PORT, as 127.0.0.1:5000 or [::1]:5000" : nil
    }

    /// Whether the address stands for all addresses of the machine.
    var isWildcard: Bool { host == "0.0.0.0" || host == "::" }

    /// Returns the URL under which a client on this machine reaches the cloud.
    func url(port: Int, isTLS: Bool) -> String {
        let host =
            switch self.host {
            case "0.0.0.0": "127.0.0.1"
            case "::": "[::1]"
            case let host: host.contains(":") ? "[\(host)]" : host
            }
        return "\(isTLS ? "https" : "http")://\(host):\(port)"
    }
}

/// A reservation of the port on which the server will listen. Data that is written before the server starts (the
/// catalog, `clouds.yaml`) can therefore name the right port, and an unusable address ends the start before anything
/// has changed.
///
/// The socket is bound but does not listen. With `SO_REUSEADDR` on both sockets, the server's own socket may be bound
/// beside it, and no other program gets the port in between.
final class PortReservation: Sendable {
    let port: Int
    private let held: Mutex<Int32?>

    /// Reserves the port.
    ///
    /// - Throws: `StartError` if the name has no address, or the address is in use or belongs to another machine.
    init(_ address: ListenAddress) throws {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, "\(address.port)", &hints, &found)
        defer { if found != nil { freeaddrinfo(found) } }
        guard status == 0, let first = found?.pointee else {
            throw StartError("Cannot listen on \(address.host): \(String(cString: gai_strerror(status))).")
        }
        let descriptor = socket(first.ai_family, first.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), first.ai_protocol)
        var on: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        guard descriptor >= 0, bind(descriptor, first.ai_addr, first.ai_addrlen) == 0 else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw StartError(
                "Cannot listen on \(address.host), port \(address.port): \(reason). Another program may be using it; --listen takes another.")
        }
        // The port is at the same offset in the addresses of both families.
        var bound = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let chosen = withUnsafeMutableBytes(of: &bound) { bytes in
            bytes.withMemoryRebound(to: sockaddr.self) { getsockname(descriptor, $0.baseAddress, &length) }
        }
        guard chosen == 0 else {
            close(descriptor)
            throw StartError("Cannot listen on \(address.host): the system does not tell the port.")
        }
        port = withUnsafeBytes(of: bound) { Int($0[2]) << 8 | Int($0[3]) }
        held = Mutex(descriptor)
    }

    deinit { release() }

    /// Releases the port, once the server's own socket has it.
    func release() {
        held.withLock { descriptor in
            if let descriptor { close(descriptor) }
            descriptor = nil
        }
    }
}
