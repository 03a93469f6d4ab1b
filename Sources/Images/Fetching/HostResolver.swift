import CloudCore
import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A resolver of host names.
protocol HostResolver: Sendable {
    /// Returns the addresses of a name in the order in which they should be tried; empty if there are none.
    ///
    /// - Parameter turn: the turn of the project. It is held until the look-up has ended, even if the caller no longer
    ///   waits for it.
    func addresses(of name: String, _ turn: LookUpTurns.Turn) async throws -> [IPAddress]
}

/// The resolver of the system: `/etc/hosts`, DNS, and whatever else the host is set up with.
struct SystemResolver: HostResolver {
    /// The threads of look-ups. They are separate, so that a name server that does not answer holds up no other work.
    /// Each project holds at most one, so other projects wait only if 32 projects have such a server.
    private static let threads: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 32)
        pool.start()
        return pool
    }()

    /// Looks a name up. The caller may stop waiting; the thread cannot, and keeps the turn until the system has
    /// answered.
    func addresses(of name: String, _ turn: LookUpTurns.Turn) async throws -> [IPAddress] {
        let answer = Answer()
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                answer.wait(continuation)
                Self.threads.submit { _ in
                    withExtendedLifetime(turn) { answer.give(.success(Self.resolve(name))) }
                }
            }
        } onCancel: {
            answer.give(.failure(CancellationError()))
        }
    }

    /// The awaited result. The first one that is given counts, also if it comes before the wait.
    private final class Answer: Sendable {
        private struct State {
            var continuation: CheckedContinuation<[IPAddress], any Error>?
            var result: Result<[IPAddress], any Error>?
        }

        private let state = Mutex(State())

        func wait(_ continuation: CheckedContinuation<[IPAddress], any Error>) {
            let result = state.withLock { state in
                if state.result == nil { state.continuation = continuation }
                return state.result
            }
            if let result { continuation.resume(with: result) }
        }

        func give(_ result: Result<[IPAddress], any Error>) {
            let continuation = state.withLock { state in
                defer { state.continuation = nil }
                if state.result == nil { state.result = result }
                return state.continuation
            }
            continuation?.resume(with: result)
        }
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
