package import Access
package import CloudCore
package import HTTPTypes
package import Hummingbird
package import Logging
import NIOCore
import Telemetry

/// The part of the server that answers requests: it finds the service and the route, runs the handler, renders errors,
/// and writes the access log.
package struct Responder: Sendable {
    /// The rule for pages of other origins that call the API from a browser.
    package struct CORS: Sendable {
        package var allowedOrigins: [String]
        package init(allowedOrigins: [String]) { self.allowedOrigins = allowedOrigins }
    }

    private struct Mount: Sendable {
        let prefix: String
        let service: APIService
        let tree: RouteTree
        /// By the names of routes.
        let timers: [String: RouteTimers]
        /// The timers of requests that no route takes.
        let unknown: RouteTimers
        let options: RouteTimers
    }

    private let mounts: [Mount]
    /// The path below the origin at which clients get tokens, for the header of a 401. It is nil if there is no
    /// Identity service.
    private let identityPrefix: String?
    private let verifier: (any TokenVerifier)?
    let world: World
    private let publicURL: String?
    private let cors: CORS
    let instruments: Instruments
    /// The timers of requests that reach no service.
    private let nowhere: RouteTimers
    private let patience: Body.Patience
    /// The time that a request has in all.
    private let requestTime: Duration
    private let log: Logger

    /// - Parameters:
    ///   - publicURL: the beginning of links; if it is nil, they are built from each request's `Host`.
    ///   - patience: the time that a client has to send a body.
    ///   - requestTime: the time that a request has in all, unless it carries data.
    /// - Throws: `RouteConflict`.
    package init(
        services: [APIService], verifier: (any TokenVerifier)?, world: World, publicURL: String? = nil,
        cors: CORS = CORS(allowedOrigins: []), instruments: Instruments = Instruments(),
        patience: Body.Patience = Body.Patience(), requestTime: Duration = .seconds(90), log: Logger
    ) throws {
        mounts = try services.flatMap { service in
            let tree = try RouteTree(
                service.routes, answersUnlisted: service.answersUnlistedMethods, ignoresTrailingSlash: service.ignoresTrailingSlash)
            func timers(_ route: String) -> RouteTimers { RouteTimers(service.name, route, instruments.metrics) }
            let names = service.routes.map { ($0.name, timers($0.name)) }
            let own = Dictionary(names) { first, _ in first }
            let (unknown, options) = (timers("unknown"), timers("OPTIONS"))
            return service.prefixes.map {
                Mount(prefix: $0, service: service, tree: tree, timers: own, unknown: unknown, options: options)
            }
        }.sorted { $0.prefix.count > $1.prefix.count }
        identityPrefix = services.first { $0.name == "identity" }?.prefixes.first
        self.verifier = verifier
        self.world = world
        self.publicURL = publicURL
        self.cors = cors
        self.instruments = instruments
        nowhere = RouteTimers("none", "none", instruments.metrics)
        instruments.metrics.describe(RouteTimers.name, "Time from a request's head to the end of its answer.")
        instruments.metrics.describe(
            RouteTimers.cutOff, "Requests that were cut off, because they were late or their client left.")
        instruments.metrics.gauge(
            LoopHolds.name, help: "The longest time for which one piece of work held an event loop."
        ) {
            [holds = instruments.holds] in Double(holds.longest) / 1e9
        }
        self.patience = patience
        self.requestTime = requestTime
        self.log = log
    }

    /// The parts of a request apart from its head.
    package struct Arrival: Sendable {
        package var body: RequestBody
        package var isTLS: Bool
        package var remoteAddress: String?
        /// A callback that runs before the body is read.
        var willRead: @Sendable () -> Void = {}
        /// A callback that gets the budget of the request, to end it when the client leaves.
        var willWork: @Sendable (Budget) -> Void = { _ in }

        init(body: RequestBody, isTLS: Bool, remoteAddress: String?) {
            self.body = body
            self.isTLS = isTLS
            self.remoteAddress = remoteAddress
        }

        /// Makes an arrival without a connection, for calls from the same process.
        package init(bytes: [UInt8] = [], remoteAddress: String? = nil) {
            self.init(body: RequestBody(buffer: ByteBuffer(bytes: bytes)), isTLS: false, remoteAddress: remoteAddress)
        }
    }

    package func respond(to head: HTTPRequest, _ arrival: Arrival) async -> Reply {
        let requestID = Self.requestID(head.headerFields, world)
        if let spans = instruments.spans { return await respond(to: head, arrival, requestID, spans) }
        return await answer(head, arrival, requestID).reply
    }

    func answer(
        _ head: HTTPRequest, _ arrival: Arrival, _ requestID: String
    ) async -> (reply: Reply, timers: RouteTimers) {
        let started = ContinuousClock.now
        let target = head.path ?? "/"
        // All of this goes by bytes: characters cost ten times as much, and no marks but ASCII's are looked for.
        let whole = target.utf8.prefix { $0 != UInt8(ascii: "#") }
        let path = Substring(whole.prefix { $0 != UInt8(ascii: "?") })
        let rawQuery = Substring(whole.dropFirst(path.utf8.count + 1))
        var (reply, timers) = await route(head, Self.folded(path), rawQuery, arrival, requestID)
        reply.headers[.requestID] = requestID
        allowOrigin(head, &reply)
        if head.method == .head { reply = Self.withoutContent(reply) }
        let took = ContinuousClock.now - started
        timers.record(status: reply.status.code, took: took)
        addLine(head.method.rawValue, String(path), reply, requestID, arrival.remoteAddress, took)
        return (reply, timers)
    }

    /// Returns the answer to bytes that are not a request, and records it like any other answer.
    func refuse(_ error: CloudError, _ envelope: any ErrorEnvelope) -> Reply {
        let context = ErrorContext(
            requestID: "req-" + world.random.uuid(), base: publicURL ?? "", microversion: nil, microversions: nil, accept: nil)
        var reply = envelope.reply(error, error.kind.status, context)
        reply.headers[.requestID] = context.requestID
        nowhere.record(status: reply.status.code, took: .zero)
        addLine("-", "-", reply, context.requestID, nil, .zero)
        return reply
    }

    // MARK: Routing

    private func route(
        _ head: HTTPRequest, _ path: String, _ rawQuery: Substring, _ arrival: Arrival, _ requestID: String
    ) async -> (Reply, RouteTimers) {
        guard let mount = mounts.first(where: { Self.isBelow(path, $0.prefix) }) else {
            return (Reply.text(.notFound, "There is nothing here.\n"), nowhere)
        }
        let service = mount.service
        let origin = origin(head, arrival)
        let base = origin + mount.prefix
        let inside = String(Substring(path.utf8.dropFirst(mount.prefix.utf8.count)))
        func context(_ version: Microversion?) -> ErrorContext {
            ErrorContext(
                requestID: requestID, base: base, microversion: version, microversions: service.microversions,
                accept: head.headerFields[.accept])
        }
        var timers = mount.unknown
        var version: Microversion?
        do {
            // This comes first: also a path without a route is answered in the version that was asked for.
            version = try service.microversions?.requested(by: head.headerFields)
            switch mount.tree.match(head.method, inside) {
            case .notFound: throw CloudError.notFound("The resource could not be found.")
            case .wrongMethod(let allowed):
                let allow = allowed.map(\.rawValue).joined(separator: ", ")
                if head.method == .options, service.answersUnlistedMethods {
                    return (Reply(.noContent, headers: [.allow: allow]), mount.options)
                }
                var error = CloudError(.methodNotAllowed, "The method \(head.method.rawValue) is not allowed for this resource.")
                error.headers = [("Allow", allow)]
                throw error
            case .found(let route, let parameters):
                timers = mount.timers[route.name] ?? timers
                var call = Call(
                    method: head.method, path: inside, query: try Query(rawQuery), headers: head.headerFields,
                    parameters: parameters, base: base, requestID: requestID, microversion: version,
                    remoteAddress: arrival.remoteAddress, body: body(head, arrival, service),
                    service: service.name, verifier: verifier)
                call.body.mayBeLong = { [call] in try await call.requireRole() }
                var reply = try await work(route, call, arrival, timers)
                if let version { service.microversions?.mark(&reply.headers, version) }
                return (reply, timers)
            }
        } catch {
            var reply = failure(error, service, context(version))
            if reply.status == .unauthorized, let identityPrefix {
                reply.headers[.wwwAuthenticate] = "Keystone uri=\"\(origin + identityPrefix)\""
            }
            return (reply, timers)
        }
    }

    /// Runs the handler of a route within a budget.
    private func work(_ route: Route, _ call: Call, _ arrival: Arrival, _ timers: RouteTimers) async throws -> Reply {
        // A request that one service sends to another within this process is a part of the client's request.
        if Budget.current != nil { return try await route.handler(call) }
        let share = arrival.remoteAddress.map(Share.address) ?? .cloud
        let isWhole = route.pace == .whole
        let budget = Budget(isWhole ? requestTime : nil, share: share)
        if isWhole { arrival.willWork(budget) }
        // Tasks that outlive the request go on.
        defer { budget.end(as: .answered) }
        do {
            return try await Budget.$current.withValue(budget) { try await route.handler(call) }
        } catch {
            if let end = budget.end { timers.count(end) }
            throw error
        }
    }

    private func body(_ head: HTTPRequest, _ arrival: Arrival, _ service: APIService) -> Body {
        let length = head.headerFields[.contentLength].flatMap { Int($0) }
        let isChunked = head.headerFields[.transferEncoding] != nil
        return Body(
            stream: arrival.body, declaredLength: length ?? (isChunked ? nil : 0), contentType: head.headerFields[.contentType],
            limit: service.bodyLimit, patience: patience, willRead: arrival.willRead)
    }

    /// Returns the path with repeated slashes reduced to one. Clients that join URLs send such paths.
    private static func folded(_ path: Substring) -> String {
        let slash = UInt8(ascii: "/")
        var last = UInt8(0)
        let hasSeveral = path.utf8.contains { byte in
            defer { last = byte }
            return byte == slash && last == slash
        }
        guard hasSeveral else { return String(path) }
        var bytes: [UInt8] = []
        last = 0
        for byte in path.utf8 {
            if byte != slash || last != byte { bytes.append(byte) }
            last = byte
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Returns the scheme, host and port with which links begin.
    private func origin(_ head: HTTPRequest, _ arrival: Arrival) -> String {
        if let publicURL { return publicURL }
        let host = head.authority ?? "localhost"
        // A value that is not a plain host and port must not get into a link.
        let isPlain = (1...255).contains(host.utf8.count) && host.utf8.allSatisfy(Self.isOfHost)
        return (arrival.isTLS ? "https://" : "http://") + (isPlain ? host : "localhost")
    }

    /// Returns whether a byte may be in a host and its port.
    private static func isOfHost(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }

    private static func isBelow(_ path: String, _ prefix: String) -> Bool {
        guard path.utf8.count >= prefix.utf8.count, path.utf8.starts(with: prefix.utf8) else { return false }
        return path.utf8.count == prefix.utf8.count || path.utf8.dropFirst(prefix.utf8.count).first == UInt8(ascii: "/")
            || prefix.isEmpty
    }

    // MARK: Errors

    private static let mostMessage = 1000

    private func failure(_ error: any Error, _ service: APIService, _ context: ErrorContext) -> Reply {
        var known =
            switch error {
            case let error as CloudError: error
            // The client has gone, or the drain at the end has taken too long; this is not a bug.
            case is CancellationError: CloudError(.unavailable, "The request was cut off before it was complete.")
            default: CloudError.internalError("an error that no service named", cause: error)
            }
        // A message may repeat what the client has sent, which may be long.
        if known.message.utf8.count > Self.mostMessage { known.message = known.message.prefix(Self.mostMessage) + "…" }
        let status = known.kind.status
        if status.code >= 500 {
            // Overload, and requests that were cut off, are in the figures. They are no faults of the program.
            log.log(
                level: known.isTransient ? .warning : .error, "a request failed",
                metadata: ["request_id": "\(context.requestID)", "service": "\(service.name)", "error": "\(known)"])
        }
        var reply = service.envelope.reply(known, status, context)
        for header in known.headers {
            if let name = HTTPField.Name(header.name) { reply.headers[name] = header.value }
        }
        if known.kind == .tooLarge || known.kind == .timeout { reply.headers[.connection] = "close" }
        service.microversions?.mark(&reply.headers, context.microversion)
        return reply
    }

    // MARK: The answer's head

    /// Returns the request's id. The id that another service has sent is kept, so that one id can be followed through
    /// all services.
    private static func requestID(_ headers: HTTPFields, _ world: World) -> String {
        if let given = headers[.globalRequestID], isRequestID(given) { return given }
        return "req-" + world.random.uuid()
    }

    private static func isRequestID(_ text: String) -> Bool {
        guard text.hasPrefix("req-") else { return false }
        let groups = text.utf8.dropFirst(4).split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.allSatisfy { Hex.bytes(Substring($0)) != nil }
    }

    private func allowOrigin(_ head: HTTPRequest, _ reply: inout Reply) {
        if cors.allowedOrigins.isEmpty { return }
        // The header is also needed if there is no `Origin`: a cache must not give that answer to a page that is
        // allowed.
        reply.headers.append(HTTPField(name: .vary, value: "Origin"))
        guard let origin = head.headerFields[.origin],
            cors.allowedOrigins.contains(origin) || cors.allowedOrigins.contains("*")
        else { return }
        reply.headers[.accessControlAllowOrigin] = origin
        reply.headers[.accessControlExposeHeaders] =
            "X-Auth-Token, X-Subject-Token, OpenStack-API-Version, x-openstack-request-id, Location, ETag"
        if head.method == .options, let wanted = head.headerFields[.accessControlRequestMethod] {
            reply.headers[.accessControlAllowMethods] = wanted
            reply.headers[.accessControlAllowHeaders] = head.headerFields[.accessControlRequestHeaders] ?? ""
            reply.headers[.accessControlMaxAge] = "3600"
        }
    }

    /// Returns the reply to a HEAD request: the headers of the GET, including its length, without content.
    private static func withoutContent(_ reply: Reply) -> Reply {
        var reply = reply
        switch reply.content {
        case .none: break
        case .bytes(let bytes): reply.headers[.contentLength] = String(bytes.count)
        case .stream(let length, _): if let length { reply.headers[.contentLength] = String(length) }
        }
        reply.content = .none
        return reply
    }

    private func addLine(
        _ method: String, _ path: String, _ reply: Reply, _ requestID: String, _ remoteAddress: String?, _ took: Duration
    ) {
        guard let accessLog = instruments.accessLog else { return }
        let size = if case .bytes(let bytes) = reply.content { bytes.count } else { 0 }
        accessLog.add(
            AccessLog.Line(
                at: world.now, remote: remoteAddress ?? "-", method: method, path: path,
                status: reply.status.code, bytes: size, took: took, requestID: requestID))
    }
}
