package import CloudCore
package import HostModel

/// A driver that keeps volumes on one host. Only the code behind this protocol knows a storage.
///
/// Every call may be repeated with the same arguments and then changes nothing more. A change whose fence is older than
/// the newest one taken for its volume or snapshot is refused with `conflict` (`Fence.staleCode`), also after a removal
/// and after a restart of the process. A volume and a snapshot have fences of their own.
///
/// Long copies run beside the calls: a call that begins one returns what is there, with the progress, and `observe`
/// says how it goes on. A copy that a crash has interrupted begins again by itself. Bytes that are not whole are never
/// handed out. A volume or a snapshot that this driver did not make is never listed, observed or changed.
package protocol VolumeDriver: Sendable {
    /// The kind of driver: `files` or `simulated`.
    var kind: String { get }

    func pools() async throws -> [VolumePool]

    /// Returns all volumes that exist, including those that an earlier process made.
    func list() async throws -> [ObservedVolume]
    /// Returns the volume as it is; nil if there is none.
    func observe(_ id: VolumeID) async throws -> ObservedVolume?

    /// Makes the volume. The bytes and the size of an existing volume stay as they are; a copy that has failed begins
    /// again.
    ///
    /// - Parameter content: the bytes with which a new volume begins.
    /// - Throws: `badRequest` for a volume that this driver cannot make, such as one that is smaller than its content;
    ///   `notFound` if the content is not there; `unavailable` with `VolumePool.fullCode` if the pool is full.
    @discardableResult
    func ensure(_ spec: VolumeSpec, from content: VolumeContent, fence: Fence) async throws -> ObservedVolume

    /// Gives the volume at least this size. A guest that uses it sees the new size at once.
    ///
    /// - Throws: `notFound`; `unavailable` with `VolumePool.fullCode`.
    @discardableResult
    func grow(_ id: VolumeID, to bytes: Int64, fence: Fence) async throws -> ObservedVolume

    /// Removes the volume and every byte of it. Its snapshots and the copies that were made of it stay. Has no effect
    /// if there is none.
    ///
    /// - Throws: `conflict` with `VolumeConnection.connectedCode` if machines may use it, and `conflict` (transient)
    ///   while it is copied.
    func remove(_ id: VolumeID, fence: Fence) async throws

    // MARK: Snapshots

    func listSnapshots() async throws -> [ObservedSnapshot]
    func observe(_ id: SnapshotID) async throws -> ObservedSnapshot?

    /// Keeps the bytes of a volume as they are at one moment. If a guest writes meanwhile, they are the bytes that it
    /// would find after a power cut. An existing snapshot stays as it is; one whose copy has failed begins again.
    ///
    /// - Throws: `notFound`; `conflict` if the volume is not whole; `unavailable` with `VolumePool.fullCode`.
    @discardableResult
    func snapshot(_ id: SnapshotID, of volume: VolumeID, fence: Fence) async throws -> ObservedSnapshot

    /// Removes the snapshot. Snapshots may be removed in any order. Has no effect if there is none.
    ///
    /// - Throws: `conflict` (transient) while it is copied.
    func removeSnapshot(_ id: SnapshotID, fence: Fence) async throws

    // MARK: Bytes for others

    /// Makes a flat copy of the bytes in a file. The same name gives the same copy again. A copy has a fence of its
    /// own; after a removal it is made again only for a newer generation.
    ///
    /// - Parameter export: a UUID.
    /// - Throws: `notFound`; `conflict` if the source is not whole.
    func export(
        _ source: VolumeSource, as export: String, format: VolumeFormat, fence: Fence
    ) async throws -> VolumeExport
    /// Removes the copy. Has no effect if there is none.
    func removeExport(_ export: String, fence: Fence) async throws

    // MARK: Machines

    /// Lets a machine use the volume, and returns its place for the machine's disk.
    ///
    /// - Throws: `notFound`; `conflict` if the volume is not whole, with `Fence.staleCode` for an older epoch, and with
    ///   `VolumeConnection.connectedCode` if another machine may use it and the connections are not shared.
    func connect(_ id: VolumeID, _ connection: VolumeConnection) async throws -> VolumePath

    /// Takes the right from the machine. The caller has seen that the machine does not have the disk any more. Has no
    /// effect if the machine has no such right.
    ///
    /// - Throws: `conflict` with `Fence.staleCode` if the machine has a newer connection.
    func disconnect(_ id: VolumeID, from machine: MachineID, epoch: Int64) async throws

    // MARK: The host

    /// Does the background work until it is cancelled. It begins with what an earlier process has left.
    func keep() async throws

    /// Ends all background work, so that nothing of this driver runs on the host. Volumes stay.
    func stop() async
}

// The protocols below are abilities that not every driver has. A cast finds them, so that a caller knows them before it
// calls.

package protocol VolumeReverting: VolumeDriver {
    /// Gives the volume the bytes of a snapshot again. The size does not become smaller.
    ///
    /// - Throws: `notFound`; `conflict` with `VolumeConnection.connectedCode` if machines may use the volume.
    @discardableResult
    func revert(_ id: VolumeID, to snapshot: SnapshotID, fence: Fence) async throws -> ObservedVolume
}

package protocol VolumeAdopting: VolumeDriver {
    /// Returns the files of the pool that are no volumes and could become some, in the order of their names: at most
    /// `ManageableVolume.most`.
    func manageable(in pool: String) async throws -> [ManageableVolume]

    /// Makes a volume of an existing file. Its size is that of the file.
    ///
    /// - Throws: `notFound`; `badRequest` if the file cannot become a volume.
    @discardableResult
    func adopt(_ name: String, as spec: VolumeSpec, fence: Fence) async throws -> ObservedVolume

    /// Makes the volume a file that is nobody's again, and returns its name. A volume that never was whole leaves no
    /// file.
    ///
    /// - Parameter name: the name of the file; nil for one that is made of the id.
    /// - Throws: `notFound`; `badRequest` for a name that no file can have; `conflict` if another file has the name,
    ///   and with `VolumeConnection.connectedCode` if machines may use the volume.
    func release(_ id: VolumeID, as name: String?, fence: Fence) async throws -> String

    /// Makes a snapshot of an existing file of the volume's pool. Its size is that of the file.
    ///
    /// - Throws: `notFound`; `badRequest` if the file cannot become a snapshot, or if it is larger than the volume.
    @discardableResult
    func adopt(_ name: String, as id: SnapshotID, of volume: VolumeID, fence: Fence) async throws -> ObservedSnapshot

    /// Makes the snapshot a file that is nobody's, and returns its name.
    ///
    /// - Parameter name: the name of the file; nil for one that is made of the id.
    /// - Throws: as for a volume.
    func release(_ id: SnapshotID, as name: String?, fence: Fence) async throws -> String
}

package protocol VolumeMoving: VolumeDriver {
    /// Brings a volume into another pool of the host. A long copy goes on beside the calls. Until it is whole, the
    /// volume is in its former pool, and it can neither be used nor changed. A move to the former pool ends a move that
    /// is not done.
    ///
    /// - Parameter isThin: whether the volume takes space only where it was written to, in its new pool.
    /// - Throws: `notFound`; `conflict` with `VolumeConnection.connectedCode` if machines may use the volume;
    ///   `unavailable` with `VolumePool.fullCode`.
    @discardableResult
    func move(_ id: VolumeID, to pool: String, isThin: Bool, fence: Fence) async throws -> ObservedVolume
}

extension VolumeDriver {
    package func notFound(_ id: VolumeID) -> CloudError { .notFound("volume", id.text) }
    package func notFound(_ id: SnapshotID) -> CloudError { .notFound("snapshot", id.text) }
}
