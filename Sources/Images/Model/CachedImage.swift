import Blobs
import CloudCore

/// An image in the cache, or one that waits to be copied into it.
struct CachedImage: Sendable, Equatable {
    let imageID: ID<Kind.Image>
    let blob: ContentID
    let size: Int64
    let cachedAt: Timestamp
    let readAt: Timestamp
    /// The number of reads of the copy since it was made.
    let hits: Int64
}

/// The part of the cache that is to be emptied.
enum CacheTarget: String, Sendable {
    case everything = ""
    case cache
    case queue

    var reachesCache: Bool { self != .queue }
    var reachesQueue: Bool { self != .cache }
}
