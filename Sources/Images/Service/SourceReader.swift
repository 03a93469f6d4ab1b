import CloudCore
import NIOCore

/// A reader of one image of another region's image service, in a user's name.
struct SourceReader: Sendable {
    private let fetcher: any ImageSource
    private let image: FetchURL
    private let file: FetchURL
    private let token: Secret

    /// The most bytes of an image's description: the most properties that an image may have, each of the greatest
    /// length, with room for escapes.
    private static let mostDescription: Int64 = 16 << 20  // tidy: allow bound, another cloud's

    /// - Parameter endpoint: the endpoint of the region's image service in the catalog.
    /// - Throws: `badRequest` for an endpoint that cannot be used.
    init(_ source: SourceImage, at endpoint: String, token: Secret, by fetcher: any ImageSource) throws {
        var base = endpoint[...]
        while base.hasSuffix("/") { base.removeLast() }
        guard let image = try? FetchURL("\(base)/v2/images/\(source.id)"), let file = try? FetchURL("\(image)/file") else {
            throw CloudError.badRequest("The URL that the catalogue has for the image service of that region cannot be used.")
        }
        (self.fetcher, self.image, self.file, self.token) = (fetcher, image, file, token)
    }

    func facts() async throws -> SourceFacts {
        let bytes = try await fetcher.fetch(image, token: token, most: Self.mostDescription) { download in
            var bytes: [UInt8] = []
            for try await part in download { bytes += part.readableBytesView }
            return bytes
        }
        guard let answer = try? JSON.parse(bytes) else { throw Fetcher.unusable("it is no JSON") }
        return try SourceFacts(answer)
    }

    /// Reads the data of the image.
    ///
    /// - Parameter most: the most bytes.
    func data<Value: Sendable>(most: Int64, _ body: @Sendable (Download) async throws -> Value) async throws -> Value {
        try await fetcher.fetch(file, token: token, most: most, body)
    }
}
