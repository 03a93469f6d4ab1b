import AsyncHTTPClient
import CloudCore
import NIOCore
import NIOHTTP1

/// The limits of a fetch.
struct FetchLimits: Sendable {
    var redirects = 5
    /// The most bytes of all names and values of a response's headers.
    var headers = 64 << 10
    /// The longest wait for earlier look-ups of the same project.
    var turn: Duration = .seconds(10)
    /// The longest time to resolve a name, from the start of its turn.
    var resolve: Duration = .seconds(10)
    /// The longest time to connect, with TLS.
    var connect: Duration = .seconds(10)
    /// The longest time from the request to the end of the response's head.
    var head: Duration = .seconds(30)
    /// The longest time without a byte.
    var silence: Duration = .seconds(30)
    /// The longest time from the first request to the last byte.
    var whole: Duration = .seconds(4 * 3600)
    /// The window for the least pace: a server that sends less than `leastInWindow` bytes in each `window` is too slow.
    var window: Duration = .seconds(60)
    var leastInWindow: Int64 = 1 << 20
    /// The most addresses of one name that are tried.
    var addresses = 3
}

/// A fetcher of what users ask for, as far as the rules allow it (OSSA-2026-004, OSSA-2016-013).
///
///     URL ─▶ plain? allowed? ─▶ its addresses, every one allowed? ─▶ connect to one of them ─▶ 200: the bytes
///      ▲                                                                                       │
///      └────────────────────────── another URL, as though it came from the user ◀── 3xx ──────┘
///
/// A name is resolved once for each URL, and the connection goes to an address that was checked. So a later change of
/// the name makes no difference. The user gets the same error for a host that does not exist and for one that must not
/// be reached, so nobody can learn what exists in the operator's network.
package struct Fetcher: Sendable {
    let rules: FetchRules
    var limits = FetchLimits()
    var resolver: any HostResolver = SystemResolver()
    private let turns = LookUpTurns()
    var ownAddresses: @Sendable () -> Set<IPAddress> = OwnAddresses.now

    package init(rules: FetchRules) { self.rules = rules }

    /// Checks a URL as a fetch would, without connecting; for an early answer to the user.
    ///
    /// - Parameter project: the project that the fetch is for.
    /// - Throws: `badRequest` with the reason.
    @discardableResult
    func check(_ text: String, for project: String?) async throws -> FetchURL {
        let url = try FetchURL(text)
        _ = try await admit(url, project)
        return url
    }

    /// Fetches a URL, and passes its bytes on while they arrive.
    ///
    /// - Parameters:
    ///   - project: the project that the fetch is for.
    ///   - most: the most bytes.
    ///   - body: the consumer, which may return early. The connection is closed when it returns.
    /// - Throws: `badRequest` for what the rules or the server refuse; `tooLarge`; transient errors for what may
    ///   succeed later.
    func fetch<Value: Sendable>(
        _ text: String, for project: String?, most: Int64, _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Value {
        var url = try FetchURL(text)
        let end = ContinuousClock.now + limits.whole
        for _ in 0...limits.redirects {
            let addresses = try await admit(url, project)
            switch try await hop(url, addresses[...], most: most, end: end, body) {
            case .value(let value): return value
            case .redirect(let location): url = try url.following(location)
            }
        }
        throw CloudError(.badRequest, "The URI leads to more than \(limits.redirects) others, one after the other.", code: "too_many_redirects")
    }

    // MARK: One URL

    enum Outcome<Value: Sendable>: Sendable {
        case value(Value)
        /// The target of a redirect, as the server wrote it.
        case redirect(String)
    }

    /// Returns the addresses that a connection may go to.
    private func admit(_ url: FetchURL, _ project: String?) async throws -> [IPAddress] {
        try rules.check(url)
        let found: [IPAddress]
        if let address = url.address {
            found = [address]
        } else {
            let (resolver, turns) = (resolver, turns)
            let turn = try await Deadline(limits.turn, Self.tooSlow).run { try await turns.take(project ?? "") }
            found = try await Deadline(limits.resolve, Self.tooSlow).run {
                try await resolver.addresses(of: url.host, turn)
            }
        }
        let own = ownAddresses()
        // A name with an internal and an external address is trusted with neither.
        guard !found.isEmpty, found.allSatisfy({ rules.admits($0, of: url, own: own) }) else {
            throw FetchURL.refused("host \(url.host) cannot be used")
        }
        return Array(found.prefix(limits.addresses))
    }

    private func hop<Value>(
        _ url: FetchURL, _ admitted: ArraySlice<IPAddress>, most: Int64, end: ContinuousClock.Instant,
        _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Outcome<Value> {
        var addresses = admitted
        while true {
            let address = addresses.removeFirst()
            let outcome = try await ask(url, at: address, mayTryNext: !addresses.isEmpty, most: most, end: end, body)
            if let outcome { return outcome }
        }
    }

    /// Sends one request on its own connection.
    ///
    /// - Parameters:
    ///   - address: the address to connect to; nil to let the system resolve the host.
    ///   - token: the token for the server.
    /// - Returns: nil if there is no connection and another address may be tried.
    func ask<Value>(
        _ url: FetchURL, at address: IPAddress?, token: Secret? = nil, mayTryNext: Bool, most: Int64, end: ContinuousClock.Instant,
        _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Outcome<Value>? {
        let client = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration(url, address))
        let result: Result<Outcome<Value>?, any Error>
        do {
            if let response = try await begin(client, url, token, end: end, mayTryNext: mayTryNext) {
                result = .success(try await take(response, most: most, end: end, body))
            } else {
                result = .success(nil)
            }
        } catch {
            result = .failure(error)
        }
        // The connection ends here, whatever the body did.
        try? await client.shutdown()
        return try result.get()
    }

    private func begin(
        _ client: HTTPClient, _ url: FetchURL, _ token: Secret?, end: ContinuousClock.Instant, mayTryNext: Bool
    ) async throws -> HTTPClientResponse? {
        var request = HTTPClientRequest(url: url.description)
        if let token { request.headers.add(name: "X-Auth-Token", value: token.reveal()) }
        request.headers.add(name: "User-Agent", value: "novella")
        request.headers.add(name: "Accept", value: "*/*")
        // A compressed body could grow without a limit here, so only plain bytes are asked for.
        request.headers.add(name: "Accept-Encoding", value: "identity")
        let patience = min(limits.head, end - .now)
        guard patience > .zero else { throw Self.tooSlow }
        do {
            return try await client.execute(request, timeout: TimeAmount(patience))
        } catch {
            try Task.checkCancellation()
            if mayTryNext { return nil }
            throw Self.failure(error)
        }
    }

    private func take<Value>(
        _ response: HTTPClientResponse, most: Int64, end: ContinuousClock.Instant, _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Outcome<Value> {
        let size = response.headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        guard size <= limits.headers else { throw Self.unusable("its headers are too large") }
        switch response.status.code {
        case 200: break
        case 301, 302, 303, 307, 308:
            guard let location = response.headers.first(name: "location") else { throw Self.unusable("it leads nowhere") }
            return .redirect(location)
        case 429, 500...599: throw Self.transient("answered with status \(response.status.code)")
        default: throw Self.unusable("its status is \(response.status.code)")
        }
        let length = response.headers.first(name: "content-length").flatMap(Int64.init)
        if let length, length > most { throw Self.tooLarge(most) }
        let download = Download(declaredLength: length, body: response.body, most: most, limits: limits, end: end)
        return .value(try await body(download))
    }

    private func configuration(_ url: FetchURL, _ address: IPAddress?) -> HTTPClient.Configuration {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.decompression = .disabled
        configuration.httpVersion = .http1Only
        configuration.timeout = .init(connect: TimeAmount(limits.connect), read: TimeAmount(limits.silence))
        configuration.connectionPool.retryConnectionEstablishment = false
        // The `Host` header and the certificate's name stay those of the URL; the connection goes to the address that
        // was checked.
        if url.address == nil, let address { configuration.dnsOverride = [url.host: address.description] }
        return configuration
    }

    // MARK: Errors

    static func failure(_ error: any Error) -> any Error {
        switch error {
        case is CancellationError, is CloudError: return error
        case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout: return tooSlow
        default: return transient("could not be reached, or broke off", cause: error)
        }
    }

    static func tooLarge(_ most: Int64) -> CloudError {
        CloudError(.tooLarge, "The source's data has more than the \(most) bytes that are allowed.", code: "too_large")
    }

    static var tooSlow: CloudError {
        var error = CloudError(.timeout, "The source's server is too slow.", code: "too_slow")
        error.isTransient = true
        return error
    }

    static func unusable(_ reason: String) -> CloudError {
        CloudError(.badRequest, "The answer of the source's server cannot be used: \(reason).", code: "unusable_answer")
    }

    private static func transient(_ what: String, cause: (any Error)? = nil) -> CloudError {
        var error = CloudError(.unavailable, "The source's server \(what).", code: "unreachable", cause: cause)
        error.isTransient = true
        return error
    }
}
