import Access
import CloudCore
import Durable
import HTTPKit
import SQL

/// The checks before an import: `POST /v2/images/{image_id}/import`.
struct ImportService: Sendable {
    let context: ImagesContext
    let fetcher: Fetcher
    let regions: any OtherRegions

    /// Starts an import.
    ///
    /// - Parameter token: the caller's token, by which the other region is asked.
    /// - Returns: the id of the workflow; nil if there is nothing to do.
    @discardableResult
    func start(
        _ id: ID<Kind.Image>, _ request: ImportRequest, by caller: Principal, token: Secret?, requestID: String?
    ) async throws -> WorkflowID? {
        // The image is checked first, so that a caller who cannot see it learns nothing else.
        _ = try await context.read { tx in try plan(id, request, nil, caller, tx) }
        if let uri = request.uri, request.method == .webDownload { try await fetcher.check(uri, for: caller.projectID?.text) }
        let sealed = try token.flatMap { token in
            request.method == .glanceDownload ? try regions.seal(token, for: ImportImage.tokenPurpose(id)) : nil
        }
        return try await context.write { tx in
            guard let input = try plan(id, request, sealed, caller, tx) else { return nil }
            return try start(input, as: caller, requestID: requestID, tx)
        }
    }

    /// Starts the workflow. From now on the image belongs to the workflow. Until its first step has run, it does so as
    /// long as a lease is valid.
    func start(_ input: ImportImage.Input, as caller: Principal, requestID: String?, _ tx: Transaction) throws -> WorkflowID {
        let now = context.world.now
        let workflow = try context.workflows.start(
            ImportImage.self, input, on: .image(input.imageID), as: caller, options: .init(requestID: requestID), in: tx)
        guard let image = try context.images.find(input.imageID, for: context.onlooker(caller), in: tx) else {
            throw ImageAccess.missing(input.imageID)
        }
        _ = try ImageIntake(context: context).take(.importing, image, until: now + UploadLease.duration, owner: workflow.text, in: tx)
        return workflow
    }

    /// Returns the input of the workflow if the import may begin now; nil if there is nothing to do.
    private func plan(
        _ id: ID<Kind.Image>, _ request: ImportRequest, _ sealedToken: String?, _ caller: Principal, _ tx: Transaction
    ) throws -> ImportImage.Input? {
        let image = try context.authorised(.getImage, id, by: caller, in: tx)
        try Self.requireReady(image, request.method)
        let source = try request.sourceImage()
        try context.access.require(request.method == .copyImage ? .copyImage : .modifyImage, image, caller)
        try context.quota.require(.sizeTotal, 0, of: image.owner, at: context.world.now, in: tx)
        let stores = try stores(for: image, request)
        guard !stores.isEmpty else { return nil }
        return ImportImage.Input(
            imageID: id, method: request.method, uri: request.uri, sourceImage: source, sealedToken: sealedToken, stores: stores,
            allMustSucceed: request.allMustSucceed, request: JSON.object(request.body).text, isTask: false)
    }

    private static func requireReady(_ image: Image, _ method: ImportMethod) throws {
        if image.status == .active, method != .copyImage {
            throw CloudError.conflict("Image with status active cannot be target for import")
        }
        guard image.status == method.source else {
            switch method {
            case .copyImage: throw CloudError.conflict("Only images with status active can be targeted for copying")
            case .webDownload, .glanceDownload:
                throw CloudError.conflict("Image needs to be in 'queued' state to use '\(method.rawValue)' method")
            case .glanceDirect: throw CloudError.conflict("Image needs to be staged before 'glance-direct' method can be used")
            }
        }
        if image.containerFormat == nil { throw CloudError.conflict("'container_format' needs to be set before import") }
        if image.diskFormat == nil { throw CloudError.conflict("'disk_format' needs to be set before import") }
    }

    private func stores(for image: Image, _ request: ImportRequest) throws -> [String] {
        let present = Set(image.locations.map(\.store))
        switch request.stores {
        case .all: return context.stores.names.filter { request.method != .copyImage || !present.contains($0) }
        case .some(let names):
            for name in names where context.stores[name] == nil {
                throw CloudError.conflict("Store \(name.prefix(255)) is not available on this site.")
            }
            return try absent(names, present, request)
        case .standard: return try absent([context.stores.standard.name], present, request)
        }
    }

    private func absent(_ names: [String], _ present: Set<String>, _ request: ImportRequest) throws -> [String] {
        if request.method == .copyImage, let there = names.first(where: present.contains) {
            throw CloudError.badRequest("Image is already present at store '\(there)'")
        }
        return names
    }
}
