package import CloudCore
import Hummingbird
package import NIOCore

/// The body of a request. It is read once: whole (as bytes or JSON), or piece by piece.
package struct Body: Sendable {
    let stream: RequestBody
    let declaredLength: Int?
    let contentType: String?
    /// The most bytes that `bytes()` and `json()` accept.
    let limit: Int

    /// A check that runs before a long body is read; it throws for callers who may not cause that much work.
    var mayBeLong: (@Sendable () async throws -> Void)?

    /// The most bytes of a body that is not long. A long body is read only if `mayBeLong` allows it, and its JSON is
    /// parsed on other threads.
    package static let longFrom = Limits.request.longBody.most
    /// The most values in one JSON body, counting values inside arrays and objects.
    package static let mostValues = Limits.request.bodyValues.most

    /// The time that a client has to send a body that is read whole.
    private let deadline: Duration
    private let pace: Pace
    /// A callback that runs before the body is read. It sends the `100 Continue` for which the client may be waiting.
    private let willRead: @Sendable () -> Void

    /// The lowest rate at which a client must send a body that is taken in pieces.
    package struct Pace: Sendable {
        /// The time spent waiting for the client between two checks of its rate.
        package var window: Duration = .seconds(60)
        /// The bytes that must arrive in this time: 256 KiB a minute is 35 kbit/s.
        package var least = 256 << 10

        package init() {}
    }

    init(
        stream: RequestBody, declaredLength: Int?, contentType: String?, limit: Int, patience: Patience,
        willRead: @escaping @Sendable () -> Void
    ) {
        self.stream = stream
        self.declaredLength = declaredLength
        self.contentType = contentType
        self.limit = limit
        deadline = patience.whole
        pace = patience.pace
        self.willRead = willRead
    }

    /// Returns the whole body.
    ///
    /// - Throws: `CloudError.tooLarge` above the limit, before the rest is read; `.timeout` if the client is too slow;
    ///   `.badRequest` if the body breaks off.
    package func bytes() async throws -> ByteBuffer {
        if let declaredLength {
            if declaredLength == 0 { return ByteBuffer() }
            if declaredLength > limit { throw Self.tooLarge }
            if declaredLength > Self.longFrom { try await mayBeLong?() }
        }
        willRead()
        let whole = try await Deadline(deadline, Self.late, endsWithRequest: false).run(read)
        // A connection may end before the body is complete.
        if let declaredLength, whole.readableBytes != declaredLength { throw Self.incomplete }
        return whole
    }

    @Sendable private func read() async throws -> ByteBuffer {
        var whole = ByteBuffer()
        do {
            for try await part in stream {
                let before = whole.readableBytes
                if before + part.readableBytes > limit { throw Self.tooLarge }
                whole.writeImmutableBuffer(part)
                if declaredLength == nil, before <= Self.longFrom, whole.readableBytes > Self.longFrom { try await mayBeLong?() }
            }
        } catch where !(error is CloudError || error is CancellationError) {
            // The connection was lost; this is not a bug.
            throw Self.incomplete
        }
        return whole
    }

    /// Returns the body as a JSON object.
    ///
    /// - Throws: `CloudError.badRequest` for anything else, `.unsupportedMediaType` if the content type is not JSON,
    ///   and the errors of `bytes()`.
    package func json() async throws -> JSONObject {
        guard let object = try await object() else {
            throw CloudError.badRequest("The request has no body; a JSON object is expected.")
        }
        return object
    }

    /// Returns the body as a JSON object, or an empty object if there is no body.
    package func jsonIfAny() async throws -> JSONObject { try await object() ?? [:] }

    private func object() async throws -> JSONObject? {
        if let contentType, declaredLength != 0, !Self.isJSON(contentType) {
            throw CloudError(.unsupportedMediaType, "The content type \(contentType.prefix(80)) is not supported; use application/json.")
        }
        let bytes = try await bytes()
        guard bytes.readableBytes > 0 else { return nil }
        do {
            guard case .object(let object) = try await Self.parse(bytes) else {
                throw CloudError.badRequest("The request's body must be a JSON object.")
            }
            return object
        } catch let error as JSONSyntaxError {
            throw CloudError.badRequest("The request's body is not valid JSON: \(error.description).")
        }
    }

    /// Returns the body as JSON of any type and ignores the content type.
    ///
    /// - Throws: `JSONSyntaxError`, and the errors of `bytes()`.
    package func anyJSON() async throws -> JSON { try await Self.parse(try await bytes()) }

    /// Parses JSON. A long body is parsed elsewhere, so that it blocks no connection.
    private static func parse(_ bytes: ByteBuffer) async throws -> JSON {
        if bytes.readableBytes <= longFrom { return try JSON.parse(bytes.readableBytesView, mostValues: mostValues) }
        return try await Elsewhere.run { try JSON.parse(bytes.readableBytesView, mostValues: mostValues) }
    }

    /// The length in bytes that the client announced; nil for a chunked body.
    package var length: Int? { declaredLength }

    /// The media type in lower case, without its parameters.
    package var type: String? { contentType.map { $0.prefix { $0 != ";" }.filter { $0 != " " }.lowercased() } }

    /// The body piece by piece as it arrives, for bodies that are too large for memory. Neither the limit nor the
    /// deadline of a whole body applies: the reader limits the size, and `ConnectionGuard` closes a connection that
    /// falls silent. A client that sends more slowly than `pace` gets a timeout here.
    package var chunks: Chunks { Chunks(body: self) }

    package struct Chunks: AsyncSequence, Sendable {
        fileprivate let body: Body

        package struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let body: Body
            fileprivate var stream: RequestBody.AsyncIterator?
            fileprivate var received = 0
            /// The time spent waiting for the client, and the bytes that arrived, since the last check of its rate.
            fileprivate var waited = Duration.zero
            fileprivate var arrived = 0

            /// - Throws: `CloudError.timeout` if the client is silent or too slow; `.badRequest` if the body breaks
            ///   off.
            package mutating func next() async throws -> ByteBuffer? {
                if body.declaredLength == 0 { return nil }
                if stream == nil {
                    body.willRead()
                    stream = body.stream.makeAsyncIterator()
                }
                let part: ByteBuffer?
                let asked = ContinuousClock.now
                do {
                    part = try await stream?.next()
                } catch where !(error is CloudError || error is CancellationError) {
                    // The connection was lost; this is not a bug.
                    throw Body.incomplete
                }
                if let part {
                    received += part.readableBytes
                    try keepPace(part.readableBytes, ContinuousClock.now - asked)
                    return part
                }
                // A connection may end before the body is complete.
                if let declared = body.declaredLength, received != declared { throw Body.incomplete }
                return nil
            }

            /// Ends a client that sends too slowly. Only the time spent waiting for the client counts: it is not the
            /// client's fault if the disk here is slow.
            private mutating func keepPace(_ count: Int, _ took: Duration) throws {
                arrived += count
                waited += took
                guard waited >= body.pace.window else { return }
                guard arrived >= body.pace.least else { throw Body.tooSlow }
                (waited, arrived) = (.zero, 0)
            }
        }

        package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: body, stream: nil) }
    }

    private static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
            || type == "text/plain" || type == "application/x-www-form-urlencoded" || type.isEmpty
    }

    private static let late = CloudError(.timeout, "The request's body did not arrive in time.")
    private static let tooSlow = CloudError(.timeout, "The request's body comes too slowly.")
    private static let tooLarge = CloudError(.tooLarge, "The request's body is too large.")
    private static let incomplete = CloudError.badRequest("The request's body broke off.")
}

extension Body {
    /// The time that a client has to send a body.
    package struct Patience: Sendable {
        /// The time for a body that is read whole.
        package var whole: Duration = .seconds(30)
        /// The lowest rate for a body that is taken in pieces.
        package var pace = Pace()

        package init() {}
    }
}
