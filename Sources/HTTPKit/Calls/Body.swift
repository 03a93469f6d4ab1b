package import CloudCore
import Hummingbird
package import NIOCore
import NIOPosix

/// The body of a request: read once, whole as JSON or piece by piece.
package struct Body: Sendable {
    let stream: RequestBody
    let declaredLength: Int?
    let contentType: String?
    /// The most bytes that `bytes()` and `json()` take.
    let limit: Int

    /// Called before a long body is read; refuses callers for whom that is too much work.
    var mayBeLong: (@Sendable () async throws -> Void)?

    /// Bytes from which on a body is long: it is read only for callers who may do something, and taken apart on a thread of its own.
    package static let longFrom = 64 << 10
    /// The most values in one body of JSON, those in arrays and objects among them.
    package static let mostValues = 50_000

    /// A client has so long to send a body that is read whole.
    private let deadline: Duration
    private let pace: Pace
    /// Called before the body is read: the client may have asked whether it should send it.
    private let willRead: @Sendable () -> Void

    /// The least that a client must send of a body that is taken in pieces.
    package struct Pace: Sendable {
        /// The time that the client was waited for between two looks at it.
        package var window: Duration = .seconds(60)
        /// Bytes that must have come in it: 256 KiB a minute is 35 kbit/s.
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

    /// The whole body.
    ///
    /// - Throws: `CloudError.tooLarge` past the limit, before the rest is read; `.timeout` when the client is too slow;
    ///   `.badRequest` when it breaks off.
    package func bytes() async throws -> ByteBuffer {
        if let declaredLength {
            if declaredLength == 0 { return ByteBuffer() }
            if declaredLength > limit { throw Self.tooLarge }
            if declaredLength > Self.longFrom { try await mayBeLong?() }
        }
        willRead()
        let whole = try await Deadline(deadline, Self.late).run(read)
        // A connection that ends is not the end of a body.
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
            // The connection was lost: nobody's bug.
            throw Self.incomplete
        }
        return whole
    }

    /// The body as a JSON object.
    ///
    /// - Throws: `CloudError.badRequest` for anything else, `.unsupportedMediaType` when the client calls it something
    ///   other than JSON.
    package func json() async throws -> JSONObject {
        guard let object = try await object() else {
            throw CloudError.badRequest("The request has no body; a JSON object is expected.")
        }
        return object
    }

    /// The body as a JSON object; an empty one where there is none.
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

    /// Any JSON, whatever the client calls it.
    ///
    /// - Throws: `JSONSyntaxError`, and what `bytes()` throws.
    package func anyJSON() async throws -> JSON { try await Self.parse(try await bytes()) }

    /// A long body is taken apart where no connection waits for it.
    private static func parse(_ bytes: ByteBuffer) async throws -> JSON {
        if bytes.readableBytes <= longFrom { return try JSON.parse(bytes.readableBytesView, mostValues: mostValues) }
        return try await parsers.runIfActive { try JSON.parse(bytes.readableBytesView, mostValues: mostValues) }
    }

    private static let parsers: NIOThreadPool = {
        let pool = NIOThreadPool(numberOfThreads: 2)
        pool.start()
        return pool
    }()

    /// Bytes that the client announced; nil where only the end will tell.
    package var length: Int? { declaredLength }

    /// The media type, in lower case and without its parameters.
    package var type: String? { contentType.map { $0.prefix { $0 != ";" }.filter { $0 != " " }.lowercased() } }

    /// The body piece by piece, as it comes, for what is too large to be held. Neither the limit of a body that is read whole nor
    /// its deadline holds here: who takes the pieces bounds them, and a client that falls silent is the connection's business. One
    /// that is slower than `pace` is ended here.
    package var chunks: Chunks { Chunks(body: self) }

    package struct Chunks: AsyncSequence, Sendable {
        fileprivate let body: Body

        package struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let body: Body
            fileprivate var stream: RequestBody.AsyncIterator?
            fileprivate var received = 0
            /// How long the client was waited for, and what came, since the last look at its pace.
            fileprivate var waited = Duration.zero
            fileprivate var arrived = 0

            /// - Throws: `CloudError.timeout` when the client is silent for too long; `.badRequest` when it breaks off.
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
                    // The connection was lost: nobody's bug.
                    throw Body.incomplete
                }
                if let part {
                    received += part.readableBytes
                    try keepPace(part.readableBytes, ContinuousClock.now - asked)
                    return part
                }
                // A connection that ends is not the end of a body.
                if let declared = body.declaredLength, received != declared { throw Body.incomplete }
                return nil
            }

            /// Ends a client that sends too little for what it holds. Only the time counts that it takes itself: a disk that is slow
            /// here is not its fault.
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
    /// How long a client is waited for.
    package struct Patience: Sendable {
        /// For a body that is read whole.
        package var whole: Duration = .seconds(30)
        /// For one that is taken in pieces.
        package var pace = Pace()

        package init() {}
    }
}
