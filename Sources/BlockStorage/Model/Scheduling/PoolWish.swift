/// The demands on the pool of a new volume.
struct PoolWish: Sendable {
    /// The size in GiB.
    var size: Int
    var type: VolumeType
    /// Further types whose demands the pool must meet: those of a group.
    var otherTypes: [VolumeType] = []
    /// The zones in which the volume may be; nil for all.
    var zones: Set<String>?
    /// The only host that can serve, because it has the volume's content; nil for all.
    var only: String?
    /// The only pool that serves; nil for all.
    var place: String?
    /// The places of which one must have the volume, and those that must not have it.
    var sameAs: Set<String>?
    var differentFrom: Set<String> = []
    /// The pool that the volume is in; it is left out.
    var former: PoolName?
    /// Whether the volume is used by several machines.
    var isShared: Bool { types.contains(where: \.isMultiattach) }
    var types: [VolumeType] { [type] + otherTypes }
    /// Whether the room was counted already, because the volume is in a pool and grows there.
    var isCounted = false
}
