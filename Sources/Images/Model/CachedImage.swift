import Blobs
import CloudCore

/// An image whose data is kept near: a copy in the cache, or the wish to have one.
struct CachedImage: Sendable, Equatable {
    let imageID: ID<Kind.Image>
    let blob: BlobID
    let size: Int64
    let cachedAt: Timestamp
    let readAt: Timestamp
    /// How often the copy was read since it is there.
    let hits: Int64
}

/// What of the cache is to be emptied.
enum CacheTarget: String, Sendable {
    case everything = ""
    case cache
    case queue

    var reachesCache: Bool { self != .queue }
    var reachesQueue: Bool { self != .cache }
}
