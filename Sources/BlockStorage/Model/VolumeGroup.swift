/// A group of volumes that are snapshotted together. No volume is in one yet.
enum VolumeGroup {}

/// A snapshot of all volumes of a group.
enum GroupSnapshot {}
