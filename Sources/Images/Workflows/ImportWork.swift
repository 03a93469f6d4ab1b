import Blobs
import CloudCore
import Durable
import NIOCore
import SQL

/// A source that fetches the data of URLs.
protocol ImageSource: Sendable {
    /// Fetches a URL that a user named.
    ///
    /// - Parameter project: the project that the fetch is for.
    func fetch<Value: Sendable>(
        _ text: String, for project: String?, most: Int64, _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Value

    /// Fetches a URL that the catalog names, in a user's name.
    func fetch<Value: Sendable>(
        _ url: FetchURL, token: Secret, most: Int64, _ body: @Sendable (Download) async throws -> Value
    ) async throws -> Value
}

extension Fetcher: ImageSource {}

/// The work of an import's steps, in their order.
struct ImportWork: Sendable {
    let context: ImagesContext
    let source: any ImageSource
    let regions: any OtherRegions

    /// The property that lists the stores still to be filled. Every image that was ever imported shows it; no caller
    /// can set it.
    static let importingProperty = "os_glance_importing_to_stores"
    static let failedProperty = "os_glance_failed_import"

    private let stage = StageStore()
    private var intake: ImageIntake { ImageIntake(context: context) }

    // MARK: Begin

    /// Begins an import.
    ///
    /// - Returns: the place of the data, if the cloud has it already.
    func begin(_ input: ImportImage.Input, _ lease: UploadLease, _ tx: Transaction) throws -> StagedData? {
        let now = context.world.now
        let image = try require(input.imageID, tx)
        guard try context.uploads.keep(lease, at: now, in: tx) else {
            throw CloudError.conflict("Another action on this image is in progress.")
        }
        let source = try present(input.method, image, tx)
        try show(importing: input.stores, failed: [], image.id, tx)
        return source
    }

    private func present(_ method: ImportMethod, _ image: Image, _ tx: Transaction) throws -> StagedData? {
        switch method {
        case .webDownload, .glanceDownload:
            guard image.locations.isEmpty else { throw CloudError.conflict("The image has data already.") }
            return nil
        case .glanceDirect:
            guard let staged = try stage.find(image.id, in: tx) else { throw CloudError.conflict("The image has no staged data.") }
            return staged
        case .copyImage:
            guard let location = image.locations.first(where: { context.stores[$0.store] != nil }), let size = image.size else {
                throw CloudError.conflict("The image has no data that could be copied.")
            }
            let data = ImageData(blob: location.blob, size: size, md5: image.checksum ?? "", virtualSize: image.virtualSize)
            return StagedData(data, in: location.store, as: image)
        }
    }

    /// Undoes an import. The image is as it was before and has no imported data; it only shows the failure.
    func giveUp(_ input: ImportImage.Input, _ lease: UploadLease, _ tx: Transaction) throws {
        try context.uploads.release(lease, in: tx)
        try stage.release(input.imageID, in: tx)
        if input.method != .copyImage { try stage.delete(input.imageID, in: tx) }
        // The image may have been deleted; then nothing is left to be changed.
        if try find(input.imageID, tx) != nil { try show(importing: [], failed: input.stores, input.imageID, tx) }
        tx.afterCommit(context.collectGarbage)
    }

    // MARK: Fetch

    typealias Progress = @Sendable (_ taken: Int64, _ total: Int64) -> Void
    typealias Check = @Sendable () throws -> Void

    /// Downloads the data of a URL into the store where it is staged.
    ///
    /// - Parameter check: throws if the workflow is to end.
    func fetch(_ uri: String, _ lease: UploadLease, _ progress: @escaping Progress, check: @escaping Check) async throws -> StagedData {
        let (image, most) = try await target(lease)
        let data = try await source.fetch(uri, for: image.owner, most: most) { download in
            try await receive(download, of: image, most: most, BlobExpectation(), progress, check)
        }
        return try await keep(data, as: image, lease)
    }

    /// Returns the reader of the source image, which acts as the caller of the import.
    ///
    /// - Throws: errors that no other attempt would mend.
    func reader(_ input: ImportImage.Input, as caller: Principal?) async throws -> SourceReader {
        let image = try input.sourceImage.required("sourceImage", from: "start")
        let sealed = try input.sealedToken.required("sealedToken", from: "start")
        let endpoint = try await regions.imageService(in: image.region, interface: image.interface, for: caller?.projectID)
        guard let endpoint else {
            throw CloudError.notFound(
                "The catalogue has no image service of region \(image.region.prefix(255)) with the interface \(image.interface.prefix(64)).")
        }
        guard let token = try await regions.open(sealed, for: ImportImage.tokenPurpose(input.imageID)) else {
            throw CloudError.conflict("The token that the import was asked for with is good no more.")
        }
        return try SourceReader(image, at: endpoint, token: token, by: source)
    }

    /// Downloads the data of a source image, inspected as the formats that the source declares.
    func fetch(
        _ reader: SourceReader, _ facts: SourceFacts, _ lease: UploadLease, _ progress: @escaping Progress, check: @escaping Check
    ) async throws -> StagedData {
        let (found, most) = try await target(lease)
        guard facts.size <= most else { throw Fetcher.tooLarge(most) }
        var taken = found
        try taken.take(facts)
        let image = taken
        let data = try await reader.data(most: most) { download in
            let expected = BlobExpectation(size: facts.size, sha512: facts.sha512)
            return try await receive(download, of: image, most: most, expected, progress, check)
        }
        return try await keep(data, as: image, lease)
    }

    /// Returns the image, and the most bytes that it may get.
    private func target(_ lease: UploadLease) async throws -> (image: Image, most: Int64) {
        try await context.read { tx in
            let image = try require(lease.imageID, tx)
            return (image, try left(for: image, tx))
        }
    }

    private func receive(
        _ download: Download, of image: Image, most: Int64, _ expected: BlobExpectation, _ progress: @escaping Progress,
        _ check: @escaping Check
    ) async throws -> ImageData {
        var download = download
        let total = download.declaredLength
        download.onBytes = { taken in
            try check()
            if let total { progress(taken, total) }
        }
        return try await intake.receive(download, of: image, into: context.stores.standard.blobs, most: most, expecting: expected)
    }

    private func keep(_ data: ImageData, as image: Image, _ lease: UploadLease) async throws -> StagedData {
        let staged = StagedData(data, in: context.stores.standard.name, as: image)
        let now = context.world.now
        // Nothing else refers to the bytes yet, so the record cannot wait for the next step.
        try await context.write { tx in
            guard try context.uploads.isHeld(lease, in: tx) else { throw Self.gone }
            try context.quota.require(.stageTotal, staged.size, of: image.owner, at: now, in: tx)
            try stage.set(staged, for: image.id, at: now, in: tx)
        }
        return staged
    }

    /// Returns the number of bytes that the owner may still store; more need not be fetched.
    private func left(for image: Image, _ tx: Transaction) throws -> Int64 {
        guard let owner = image.owner else { return ImageIntake.most }
        var left = ImageIntake.most
        for entry in try context.quota.usage(of: owner, at: context.world.now, in: tx) where entry.resource.isSize && entry.limit >= 0 {
            // Quotas count whole MiB, rounded down.
            left = min(left, (max(entry.limit - entry.used, 0) + 1) << 20 - 1)
        }
        return left
    }

    // MARK: Fill

    func reserve(_ input: ImportImage.Input, _ state: ImportImage.State, _ tx: Transaction) throws {
        let image = try require(input.imageID, tx)
        let source = try state.requireSource(input.method)
        try context.quota.require(.sizeTotal, source.size * Int64(input.stores.count), of: image.owner, at: context.world.now, in: tx)
        try stage.reserve(source.blob, in: input.stores, for: image.id, in: tx)
    }

    struct Filled: Sendable {
        var data: StagedData?
        var stores: [String] = []
        var failed: [String] = []
    }

    /// Puts the data into the stores, one after the other. A store that already has it gets no second copy.
    func fill(
        _ input: ImportImage.Input, _ state: ImportImage.State, _ lease: UploadLease, check: @escaping @Sendable () throws -> Void
    ) async throws -> Filled {
        let (source, facts) = (try state.requireSource(input.method), try state.requireFacts(input.method))
        let image = try await context.read { tx in try require(input.imageID, tx, with: facts) }
        var filled = Filled()
        var failure: CloudError?
        for name in input.stores {
            try check()
            do {
                filled.data = try await copy(source, of: image, into: name, check)
                filled.stores.append(name)
            } catch let error as CloudError where !input.allMustSucceed {
                filled.failed.append(name)
                failure = error
            }
            let (rest, failed) = (Array(input.stores.drop { $0 != name }.dropFirst()), filled.failed)
            try await context.write { tx in
                guard try context.uploads.isHeld(lease, in: tx) else { throw Self.gone }
                try show(importing: rest, failed: failed, image.id, tx)
            }
        }
        if filled.stores.isEmpty, let failure { throw failure }
        return filled
    }

    private func copy(
        _ source: StagedData, of image: Image, into name: String, _ check: @escaping @Sendable () throws -> Void
    ) async throws -> StagedData {
        guard let origin = context.stores[source.store], let target = context.stores[name] else {
            throw CloudError.conflict("Store \(name) is not available on this site.")
        }
        let data = try source.data()
        do {
            if name == source.store, source.wasLookedAt(as: image) {
                _ = try await origin.size(data.blob)
                return source
            }
            // The image's formats may have changed since the bytes came, so the bytes are inspected again as they are
            // declared now.
            let copy = try await intake.receive(
                try await origin.open(data.blob, range: nil), of: image, into: target, most: data.size,
                expecting: BlobExpectation(size: data.size, sha512: source.blob)
            ) { try check() }
            return StagedData(copy, in: source.store, as: image)
        } catch let error as CloudError where error.kind == .notFound {
            throw CloudError(.gone, "The image's data is no longer there.", cause: error)
        }
    }

    // MARK: Finish

    func finish(_ input: ImportImage.Input, _ state: ImportImage.State, _ lease: UploadLease, _ tx: Transaction) throws {
        let now = context.world.now
        let looked = try state.data.required("data", from: "fill")
        guard try context.uploads.release(lease, in: tx), let old = try find(input.imageID, tx) else { throw Self.gone }
        var image = old
        if let facts = try state.requireFacts(input.method) { try image.take(facts) }
        // The image may be changed during the import, so its formats must still be those that the bytes were inspected
        // as.
        guard looked.wasLookedAt(as: image) else { throw CloudError.conflict("The image's formats were changed while data was imported.") }
        let data = try looked.data()
        let new = state.filled.filter { name in !old.locations.contains { $0.store == name } }
        try context.quota.require(.sizeTotal, data.size * Int64(new.count), of: image.owner, at: now, in: tx)
        image.locations += new.map { store in
            Image.Location(id: UUIDText.derived(from: "location/\(store)", in: lease.owner), store: store, blob: data.blob)
        }
        image.locations = context.stores.inOrder(image.locations)
        if input.method != .copyImage {
            guard old.status == .queued || old.status == .uploading else { throw Self.gone }
            image.take(data)
            image.status = .active
        }
        image.updatedAt = now
        image.properties[Self.importingProperty] = ""
        image.properties[Self.failedProperty] = .string(state.failed.joined(separator: ","))
        try context.images.update(image, from: old, in: tx)
        try stage.release(image.id, in: tx)
        try stage.delete(image.id, in: tx)
        tx.afterCommit(context.collectGarbage)
    }

    // MARK: The image

    private func find(_ id: ID<Kind.Image>, _ tx: Transaction) throws -> Image? {
        try context.images.find(id, for: Onlooker(project: nil, now: context.world.now), in: tx)
    }

    /// Returns the image.
    ///
    /// - Parameter facts: the facts of the source image that the image takes over in the end.
    /// - Throws: `gone` if it does not exist.
    private func require(_ id: ID<Kind.Image>, _ tx: Transaction, with facts: SourceFacts? = nil) throws -> Image {
        guard var image = try find(id, tx) else { throw Self.gone }
        if let facts { try image.take(facts) }
        return image
    }

    private func show(importing: [String], failed: [String], _ id: ID<Kind.Image>, _ tx: Transaction) throws {
        guard try find(id, tx) != nil else { throw Self.gone }
        try context.images.setProperty(Self.importingProperty, importing.joined(separator: ","), of: id, in: tx)
        try context.images.setProperty(Self.failedProperty, failed.joined(separator: ","), of: id, in: tx)
    }

    static let gone = CloudError(.gone, "The image was deleted, or taken over, while data was imported.")
}
