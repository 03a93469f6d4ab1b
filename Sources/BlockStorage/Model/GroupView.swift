import CloudCore

/// A group with what an answer shows besides.
struct GroupView: Sendable {
    var group: VolumeGroup
    /// The types that its volumes may have.
    var types: [ID<VolumeType>] = []
    /// Its volumes; nil unless they were asked for.
    var volumes: [ID<Kind.Volume>]?
}
