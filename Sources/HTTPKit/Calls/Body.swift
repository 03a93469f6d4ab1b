package import CloudCore
import Hummingbird
package import NIOCore

/// The body of a request: read once, whole as JSON or piece by piece.
package struct Body: Sendable {
    let stream: RequestBody
    let declaredLength: Int?
    let contentType: String?
    /// The most bytes that `bytes()` and `json()` take.
    let limit: Int

    /// A client has so long to send a body that is read whole.
    private let deadline: Duration
    /// Called before the body is read: the client may have asked whether it should send it.
    private let willRead: @Sendable () -> Void

    init(
        stream: RequestBody, declaredLength: Int?, contentType: String?, limit: Int, deadline: Duration,
        willRead: @escaping @Sendable () -> Void
    ) {
        self.stream = stream
        self.declaredLength = declaredLength
        self.contentType = contentType
        self.limit = limit
        self.deadline = deadline
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
        }
        willRead()
        let whole = try await withDeadline(deadline, CloudError(.timeout, "The request's body did not arrive in time."), read)
        // A connection that ends is not the end of a body.
        if let declaredLength, whole.readableBytes != declaredLength { throw Self.incomplete }
        return whole
    }

    @Sendable private func read() async throws -> ByteBuffer {
        var whole = ByteBuffer()
        do {
            for try await part in stream {
                if whole.readableBytes + part.readableBytes > limit { throw Self.tooLarge }
                whole.writeImmutableBuffer(part)
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
            guard case .object(let object) = try JSON.parse(bytes.readableBytesView) else {
                throw CloudError.badRequest("The request's body must be a JSON object.")
            }
            return object
        } catch let error as JSONSyntaxError {
            throw CloudError.badRequest("The request's body is not valid JSON: \(error.description).")
        }
    }

    /// Bytes that the client announced; nil where only the end will tell.
    package var length: Int? { declaredLength }

    /// The media type, in lower case and without its parameters.
    package var type: String? { contentType.map { $0.prefix { $0 != ";" }.filter { $0 != " " }.lowercased() } }

    /// The body piece by piece, as it comes, for what is too large to be held. Neither the limit of a body that is read whole nor
    /// its deadline holds here: who takes the pieces bounds them, and a client that falls silent is the connection's business.
    package var chunks: Chunks { Chunks(body: self) }

    package struct Chunks: AsyncSequence, Sendable {
        fileprivate let body: Body

        package struct AsyncIterator: AsyncIteratorProtocol {
            fileprivate let body: Body
            fileprivate var stream: RequestBody.AsyncIterator?
            fileprivate var received = 0

            /// - Throws: `CloudError.timeout` when the client is silent for too long; `.badRequest` when it breaks off.
            package mutating func next() async throws -> ByteBuffer? {
                if body.declaredLength == 0 { return nil }
                if stream == nil {
                    body.willRead()
                    stream = body.stream.makeAsyncIterator()
                }
                let part: ByteBuffer?
                do {
                    part = try await stream?.next()
                } catch where !(error is CloudError || error is CancellationError) {
                    // The connection was lost: nobody's bug.
                    throw Body.incomplete
                }
                if let part {
                    received += part.readableBytes
                    return part
                }
                // A connection that ends is not the end of a body.
                if let declared = body.declaredLength, received != declared { throw Body.incomplete }
                return nil
            }
        }

        package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(body: body, stream: nil) }
    }

    private static func isJSON(_ contentType: String) -> Bool {
        let type = contentType.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
        return type == "application/json" || (type.hasPrefix("application/") && type.hasSuffix("+json"))
            || type == "text/plain" || type == "application/x-www-form-urlencoded" || type.isEmpty
    }

    private static let tooLarge = CloudError(.tooLarge, "The request's body is too large.")
    private static let incomplete = CloudError.badRequest("The request's body broke off.")
}

/// Runs `body`, and cancels it and throws `error` when it has not ended in time.
package func withDeadline<Value: Sendable>(
    _ limit: Duration, _ error: any Error, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(for: limit)
            throw error
        }
        guard let first = try await group.next() else { throw CancellationError() }
        group.cancelAll()
        return first
    }
}
