/// The volume or snapshot whose bytes are exported.
package enum VolumeSource: Hashable, Sendable, Codable {
    case volume(VolumeID)
    case snapshot(SnapshotID)
}
