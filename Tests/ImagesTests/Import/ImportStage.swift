import Access
import Blobs
import CloudCore
import Durable
import Foundation
import NIOCore
import Resources
import SQL
import TestSupport
import Testing

@testable import Images

/// The stage of one import: an image, two stores, and a server with the data.
struct ImportStage: WorkflowStage {
    let context: ImagesContext
    let work: ImportWork
    let method: ImportMethod
    let port: Int

    static let imageID = ID<Kind.Image>("11111111-2222-3333-4444-555555555555")
    static let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
    static let otherStore = "other"

    /// Returns the fixture of an import method.
    ///
    /// - Parameter stores: the stores that all runs share. The outcome is taken from rows, not from the content of the
    ///   stores.
    static func fixture(_ method: ImportMethod, _ stores: ImageStores, port: Int) -> WorkflowFixture {
        WorkflowFixture(ImportImage.self, schemas: [.images]) { database, world in
            try await make(method, stores, port, database, world)
        }
    }

    static func withStores<Value>(_ body: (ImageStores) async throws -> Value) async throws -> Value {
        try await withTemporaryDirectory { folder in
            let first = try await FileBlobStore(folder: "\(folder)/file", world: .test(), threads: 2)
            let second = try await FileBlobStore(folder: "\(folder)/other", world: .test(), threads: 2)
            let result: Result<Value, any Error>
            do { result = .success(try await body(ImageStores(.init("file", first), [.init(otherStore, second)]))) } catch { result = .failure(error) }
            await first.close()
            await second.close()
            return try result.get()
        }
    }

    private static func make(
        _ method: ImportMethod, _ stores: ImageStores, _ port: Int, _ database: Database, _ world: World
    ) async throws -> ImportStage {
        let policy = try Policy(defaults: ImagesPolicy.defaults, overrides: [:])
        let base = ServiceContext(database: database, policy: policy, world: world, topic: Topic("images"), prefix: "image")
        let workflows = try Workflows([ImportImage.self], world: world)
        let context = ImagesContext(base: base, stores: stores, quota: ImageQuota(limits: Unlimited()), workflows: workflows) {}
        var fetcher = Fetcher(rules: try FetchRules(allowed: [], disallowed: [], private: ["127.0.0.1"], ports: [port]))
        fetcher.ownAddresses = { [] }
        let work = ImportWork(context: context, source: fetcher, regions: OneRegion(port: port))
        let stage = ImportStage(context: context, work: work, method: method, port: port)
        try await stage.prepare()
        return stage
    }

    /// The disk format before the import, which the source's format replaces in a `glance-download`.
    private var formerFormat: String { method == .glanceDownload ? "iso" : "raw" }

    private func prepare() async throws {
        var image = Image(id: Self.imageID, createdAt: context.world.now)
        (image.owner, image.diskFormat, image.containerFormat) = ("owner", formerFormat, "bare")
        let blob = try await context.stores.standard.blobs.store(One(ByteBuffer(bytes: Self.content)))
        let data = ImageData(blob: blob.id, size: blob.size, md5: blob.md5, virtualSize: blob.size)
        if method == .copyImage {
            image.take(data)
            image.status = .active
            image.locations = [Image.Location(id: "first", store: "file", blob: blob.id)]
        }
        let made = image
        try await context.write { tx in
            try context.images.insert(made, in: tx)
            if method == .glanceDirect {
                try StageStore().set(StagedData(data, in: "file", as: made), for: made.id, at: context.world.now, in: tx)
            }
        }
    }

    func definitions() -> [WorkflowDefinition] { [WorkflowDefinition(ImportImage.self, needs: work)] }

    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID {
        let stores = method == .copyImage ? [Self.otherStore] : ["file", Self.otherStore]
        let input = ImportImage.Input(
            imageID: Self.imageID, method: method, uri: method == .webDownload ? "http://127.0.0.1:\(port)/disk" : nil,
            sourceImage: method == .glanceDownload ? try SourceImage(SourceRegion.request()["method"] ?? .null) : nil,
            sealedToken: method == .glanceDownload ? "sealed" : nil, stores: stores, allMustSucceed: true, request: "{}", isTask: false)
        return try workflows.start(ImportImage.self, input, on: .image(Self.imageID), as: nil, in: tx)
    }

    func outcome(_ tx: Transaction) throws -> String {
        let onlooker = Onlooker(project: nil, now: context.world.now)
        guard let image = try context.images.find(Self.imageID, for: onlooker, in: tx) else { return "no image" }
        let places = image.locations.map { "\($0.store):\($0.blob)" }.joined(separator: " ")
        let rest = try leftovers(tx).filter { !$0.hasPrefix("data") }
        return "\(image.status) \(image.size ?? -1) \(image.virtualSize ?? -1) \(image.checksum ?? "") \(places) \(image.properties) \(rest)"
    }

    func leftovers(_ tx: Transaction) throws -> [String] {
        let onlooker = Onlooker(project: nil, now: context.world.now)
        guard let image = try context.images.find(Self.imageID, for: onlooker, in: tx) else { return ["no image"] }
        var lines: [String] = []
        for table in ["image_upload", "image_import"] {
            let count: Int? = try tx.value("SELECT count(*) FROM \(table)")
            if count != 0 { lines.append("\(count ?? 0) rows of \(table)") }
        }
        let expected: Image.Status = method == .copyImage ? .active : .queued
        // An import that never began has not touched the user's staged data.
        let wasBegun = image.properties[ImportWork.failedProperty] != nil
        if image.status != expected, wasBegun || image.status != method.source { lines.append("data: status \(image.status)") }
        if image.status != .active, image.diskFormat != formerFormat || image.properties["os_type"] != nil {
            lines.append("data: taken over of the source")
        }
        if image.locations.count != (method == .copyImage ? 1 : 0) { lines.append("data: \(image.locations.count) locations") }
        if wasBegun, try StageStore().find(image.id, in: tx) != nil { lines.append("staged data") }
        return lines
    }
}

/// A sequence of one buffer.
struct One: AsyncSequence, Sendable {
    let buffer: ByteBuffer

    init(_ buffer: ByteBuffer) { self.buffer = buffer }

    struct AsyncIterator: AsyncIteratorProtocol {
        var rest: ByteBuffer?

        mutating func next() async throws -> ByteBuffer? {
            defer { rest = nil }
            return rest
        }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(rest: buffer) }
}

@Suite("Workflows of Images")
struct ImageWorkflowTests {
    @Test("Every workflow has a fixture")
    func fixtures() async throws {
        try await ImportStage.withStores { stores in
            let missing = WorkflowFixture.missing(for: ImagesAssembly.workflows, in: [ImportStage.fixture(.copyImage, stores, port: 80)])
            #expect(missing.isEmpty)
        }
    }

    @Test(
        "An import completes or is undone whatever disturbs it",
        arguments: ImportMethod.allCases, DatabaseKind.allCases)
    func conforms(_ method: ImportMethod, on kind: DatabaseKind) async throws {
        let region = SourceRegion()
        try await ScriptedServer.run({ target in target == "/disk" ? .body(ImportStage.content) : region.answer(target) }) { server in
            try await ImportStage.withStores { stores in
                let trials = try await ImportStage.fixture(method, stores, port: server.port).conforms(on: kind)
                #expect(trials > 50)
            }
        }
    }

    @Test(
        "An import complains or ends the same if a value that an earlier step noted is missing",
        arguments: ImportMethod.allCases)
    func complains(_ method: ImportMethod) async throws {
        let region = SourceRegion()
        try await ScriptedServer.run({ target in target == "/disk" ? .body(ImportStage.content) : region.answer(target) }) { server in
            try await ImportStage.withStores { stores in
                let complaints = try await ImportStage.fixture(method, stores, port: server.port).complainsOfWhatIsMissing(on: .sqlite)
                #expect(complaints > 0)
            }
        }
    }
}

/// A catalog with one image service, in which a sealed token is the plain token.
private struct OneRegion: OtherRegions {
    let port: Int

    func imageService(in region: String, interface: String, for project: ID<Kind.Project>?) async throws -> String? {
        region == SourceRegion.name ? "http://127.0.0.1:\(port)" : nil
    }

    func seal(_ token: Secret, for purpose: String) throws -> String { token.reveal() }
    func open(_ sealed: String, for purpose: String) async throws -> Secret? { Secret(sealed) }
}

private struct Unlimited: ImageLimits {
    func limits(of project: String, in tx: Transaction) throws -> [String: Int64] { [:] }
}
