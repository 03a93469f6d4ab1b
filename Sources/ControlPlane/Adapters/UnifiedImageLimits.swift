import Identity
import Images
import SQL

/// The limits of Images, which Identity stores for the service `image`.
struct UnifiedImageLimits: ImageLimits {
    let identity: EffectiveLimits

    init(region: String) { identity = EffectiveLimits(serviceType: "image", region: region) }

    func limits(of project: String, in tx: Transaction) throws -> [String: Int64] { try identity.limits(of: project, in: tx) }
}
