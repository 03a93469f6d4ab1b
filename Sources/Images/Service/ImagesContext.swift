import Access
import CloudCore
import Durable
import HTTPKit
import Resources
import SQL

/// The parts that all services of Images share.
struct ImagesContext: Sendable {
    let base: ServiceContext
    let stores: ImageStores
    let quota: ImageQuota
    let workflows: Workflows
    /// Asks for a pass of the collector of bytes that nothing refers to.
    let collectGarbage: @Sendable () -> Void

    /// Asks for a pass of the loop that fills the cache.
    var fillCache: @Sendable () -> Void = {}

    let images = ImageStore()
    let cached = CacheStore()
    let uploads = UploadStore()

    var access: ImageAccess { ImageAccess(policy: base.policy) }
    var policy: Policy { base.policy }
    var world: World { base.world }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value { try await base.read(body) }

    /// Reads on a thread for reads that may take long.
    func readLong<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await base.database.read(.long, body)
    }

    @discardableResult
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value { try await base.write(body) }

    func onlooker(_ caller: Principal) -> Onlooker { Onlooker(project: caller.projectID?.text, now: world.now) }

    /// Returns an image if the caller may do an action on it.
    ///
    /// - Throws: `notFound` or `forbidden`.
    func authorised(_ action: Action, _ id: ID<Kind.Image>, by caller: Principal, in tx: Transaction) throws -> Image {
        guard let image = try images.find(id, for: onlooker(caller), in: tx) else { throw ImageAccess.missing(id) }
        try access.require(action, image, caller)
        return image
    }

    /// Returns the usage and the limit of a project for each resource that is limited.
    func usage(of project: String) async throws -> [(resource: ImageQuota.Resource, used: Int64, limit: Int64)] {
        let now = world.now
        return try await read { tx in try quota.usage(of: project, at: now, in: tx) }
    }

    /// Changes an image in one transaction and sets the time of its last change. If `body` throws, nothing is changed.
    ///
    /// - Returns: the changed image.
    @discardableResult
    func change(
        _ id: ID<Kind.Image>, _ action: Action, by caller: Principal, _ body: @escaping @Sendable (inout Image, Transaction) throws -> Void
    ) async throws -> Image {
        let now = world.now
        return try await write { tx in
            let old = try authorised(action, id, by: caller, in: tx)
            var image = old
            try body(&image, tx)
            image.updatedAt = now
            try images.update(image, from: old, in: tx)
            return image
        }
    }
}
