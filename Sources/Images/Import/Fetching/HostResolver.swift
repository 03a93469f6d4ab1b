import CloudCore
import Foundation
import NIOCore
import NIOPosix

/// Finds the addresses of a name.
protocol HostResolver: Sendable {
    /// In the order in which they should be tried; empty when there is none.
    func addresses(of name: String) async throws -> [IPAddress]
}

/// The system's: `/etc/hosts`, DNS, and whatever else the host is set up with.
struct SystemResolver: HostResolver {
    /// It has few threads of its own: a name server that does not answer must not hold those that others wait for.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 4)
        pool.start()
        return pool
    }()

    func addresses(of name: String) async throws -> [IPAddress] {
        try await Self.threads.runIfActive { Self.resolve(name) }
    }

    private static func resolve(_ name: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next?.pointee {
            if let address = address(entry), !found.contains(address) { found.append(address) }
            next = entry.ai_next
        }
        return found
    }

    private static func address(_ entry: addrinfo) -> IPAddress? {
        guard let socket = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            var address = socket.loadUnaligned(as: sockaddr_in.self).sin_addr
            return withUnsafeBytes(of: &address) { IPAddress(bytes: $0) }
        case AF_INET6:
            var address = socket.loadUnaligned(as: sockaddr_in6.self).sin6_addr
            return withUnsafeBytes(of: &address) { IPAddress(bytes: $0) }
        default: return nil
        }
    }
}
