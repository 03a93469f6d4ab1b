import AsyncHTTPClient
import CloudCore
import NIOCore

/// The bytes of a response, supervised: they end with an error if they are too many, too slow or incomplete.
struct Download: AsyncSequence, Sendable {
    typealias Element = ByteBuffer

    /// The `Content-Length` of the response; nil if the server sent none.
    let declaredLength: Int64?
    let body: HTTPClientResponse.Body
    /// The most bytes that are accepted.
    let most: Int64
    let limits: FetchLimits
    let end: ContinuousClock.Instant
    /// A function that gets the number of bytes so far after each piece. It may end the download by throwing.
    var onBytes: @Sendable (Int64) throws -> Void = { _ in }

    func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: body.makeAsyncIterator(), download: self)
    }

    struct AsyncIterator: AsyncIteratorProtocol {
        private var source: HTTPClientResponse.Body.AsyncIterator
        private let download: Download
        private var taken: Int64 = 0
        private var windowEnd: ContinuousClock.Instant
        private var takenBefore: Int64 = 0

        init(source: HTTPClientResponse.Body.AsyncIterator, download: Download) {
            self.source = source
            self.download = download
            windowEnd = .now + download.limits.window
        }

        mutating func next() async throws -> ByteBuffer? {
            let bytes: ByteBuffer?
            do { bytes = try await source.next() } catch { throw Fetcher.failure(error) }
            // A body whose reader was cancelled ends like a complete one.
            try Task.checkCancellation()
            guard let bytes else {
                if let length = download.declaredLength, length != taken { throw Fetcher.failure(HTTPClientError.remoteConnectionClosed) }
                return nil
            }
            taken += Int64(bytes.readableBytes)
            guard taken <= download.most else { throw Fetcher.tooLarge(download.most) }
            try checkPace()
            try download.onBytes(taken)
            return bytes
        }

        private mutating func checkPace() throws(CloudError) {
            let now = ContinuousClock.now
            guard now < download.end else { throw Fetcher.tooSlow }
            guard now >= windowEnd else { return }
            guard taken - takenBefore >= download.limits.leastInWindow else { throw Fetcher.tooSlow }
            (takenBefore, windowEnd) = (taken, now + download.limits.window)
        }
    }
}
