import Access
import Blobs
import CloudCore
import Durable
import HTTPKit
import SQL

/// The service of `PUT /v2/images/{image_id}/stage`: data that is kept until its import.
///
/// As in the reference, only the import refuses unfit data. Until then nobody can read the bytes, whatever they are.
struct StageService: Sendable {
    let context: ImagesContext

    private let stage = StageStore()
    private var intake: ImageIntake { ImageIntake(context: context) }

    /// Stages the data of an image.
    ///
    /// - Parameter size: the announced size in bytes, if the client sent one.
    func stage(_ id: ID<Kind.Image>, _ body: Body.Chunks, size: Int64?, by caller: Principal) async throws {
        let (image, lease) = try await begin(id, size: size, by: caller)
        let store = context.stores.standard
        try await ImageDataService(context: context).giving(back: lease) { meanwhile in
            let data = try await intake.receive(
                body, of: image, into: store.blobs, expecting: BlobExpectation(size: size), keepsUnfit: true, meanwhile: meanwhile)
            let staged = StagedData(data, in: store.name, as: image)
            let now = context.world.now
            try await context.write { tx in
                guard try context.uploads.release(lease, in: tx) else {
                    throw CloudError(.gone, "Image \(id) was deleted, or taken over, while its data was staged.")
                }
                try context.quota.require(.stageTotal, staged.size, of: image.owner, at: now, in: tx)
                try stage.set(staged, for: id, at: now, in: tx)
            }
        }
    }

    /// Prepares an image for staged data. Its formats may still be unknown: the import requires them, and inspects the
    /// bytes again.
    private func begin(_ id: ID<Kind.Image>, size: Int64?, by caller: Principal) async throws -> (image: Image, lease: UploadLease) {
        let now = context.world.now
        return try await context.write { tx in
            let image = try context.authorised(.modifyImage, id, by: caller, in: tx)
            guard image.status == .queued, try context.workflows.activity(on: .image(id), in: tx) == nil else {
                throw CloudError.conflict("Image status transition from \(image.status.rawValue) to uploading is not allowed")
            }
            try context.quota.require(.stageTotal, size ?? 0, of: image.owner, at: now, in: tx)
            return (image, try intake.take(.uploading, image, until: now + UploadLease.duration, in: tx))
        }
    }
}
