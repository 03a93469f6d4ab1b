package import CloudCore
package import HostModel
package import SQL

/// The calls of Block Storage that Compute needs. Calls that change something take the caller's open transaction, so
/// that a volume's state, its attachment and the server's own row never disagree.
package protocol VolumesNeed: Sendable {
    /// Returns the facts about a volume.
    ///
    /// - Throws: `CloudError.notFound` if there is none or the caller may not see it.
    func volume(_ id: ID<Kind.Volume>, for principal: Principal) async throws -> VolumeFacts
    /// Returns the facts about a snapshot of a volume; its size is the least size of a volume that is made of it.
    ///
    /// - Throws: `CloudError.notFound` if there is none or the caller may not see it.
    func snapshot(_ id: ID<Kind.Snapshot>, for principal: Principal) async throws -> VolumeFacts
    /// Returns the one host whose machines can use the volumes; nil if those of every host can.
    func host(of volumes: [ID<Kind.Volume>], in tx: Transaction) throws -> String?

    /// Makes a volume and fills it. A repeated call with the same id goes on with the same volume.
    ///
    /// - Parameter host: the host whose machine is going to use the volume.
    /// - Throws: a transient error until the volume is whole; `quotaExceeded`; `badRequest` for a type that there is
    ///   not; `conflict` if the volume could not be made.
    func make(_ volume: NewVolume, for host: String, by principal: Principal) async throws
    /// Begins to delete a volume that no attachment uses any more. It has no effect if there is none.
    func delete(_ id: ID<Kind.Volume>, for principal: Principal?, in tx: Transaction) throws

    /// Reserves a volume for a server. A repeated call with the same attachment has no effect.
    ///
    /// - Throws: `badRequest` if the volume's state does not allow it; `notFound` if the project has no such volume.
    func reserve(_ use: VolumeUse, in tx: Transaction) throws
    /// Notes that the server uses the volume from now on.
    func complete(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws
    /// Notes that the server is going to give the volume back.
    ///
    /// - Throws: `badRequest` if the volume is not in use.
    func beginDetaching(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws
    /// Notes that the server keeps the volume after all. It has no effect if there is no such attachment.
    func keep(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws
    /// Ends an attachment; the volume is free for others. It has no effect if there is no such attachment.
    func release(_ attachment: ID<Kind.Attachment>, in tx: Transaction) throws
    /// Gives the server a new attachment of a volume in place of an old one, which its machine does not use any more.
    /// The volume stays reserved for the server. A host refuses an attachment that it has ended, so a machine that is
    /// made anew needs a new one.
    func renew(_ old: ID<Kind.Attachment>, as new: ID<Kind.Attachment>, in tx: Transaction) throws

    /// Returns the facts about an image that a volume is to have the bytes of.
    ///
    /// - Throws: `badRequest` if the image does not fit the volume.
    func image(
        _ id: ID<Kind.Image>, fitting volume: ID<Kind.Volume>, for principal: Principal
    ) async throws -> VolumeImageFacts
    /// Begins to replace the bytes of a volume that a server has reserved and no machine uses.
    func reimage(
        _ id: ID<Kind.Volume>, from image: VolumeImageFacts, for principal: Principal, in tx: Transaction) throws
    /// Returns when nothing is copied into a volume any more.
    ///
    /// - Throws: a transient error until then; `conflict` if the copy failed.
    func awaitWhole(_ id: ID<Kind.Volume>) async throws

    /// Begins to take snapshots of volumes, whatever they are used for: all of them or none.
    ///
    /// - Throws: `badRequest` for a volume whose state does not allow it; `quotaExceeded`.
    func takeSnapshots(_ snapshots: [NewSnapshot], for principal: Principal, in tx: Transaction) throws
    /// Returns when volumes can be made of a snapshot.
    ///
    /// - Throws: a transient error until then; `conflict` if the snapshot could not be taken.
    func awaitWhole(_ id: ID<Kind.Snapshot>) async throws
    /// Begins to delete a snapshot. It has no effect if there is none.
    func delete(_ id: ID<Kind.Snapshot>, for principal: Principal) async throws

    /// Tells the users of full volumes that a server is paused until there is room for what it writes. Ids of other
    /// disks have no effect.
    func tellFull(_ disks: [String], pausing server: ID<Kind.Server>, in tx: Transaction) throws

    /// Returns when a volume has its size on its host, too, where guests see it. It has no effect if there is none.
    ///
    /// - Throws: a transient error until then.
    func awaitGrown(_ id: ID<Kind.Volume>) async throws

    /// Lets the machine of a server use a reserved volume. A repeated call returns the same.
    ///
    /// - Throws: `conflict` if the host cannot reach the volume; `notFound` if there is no such attachment.
    func connect(_ use: VolumeUse, on host: String) async throws -> ConnectedVolume
    /// Takes the right to use a volume from the machine, which no longer has the disk. It has no effect if the machine
    /// has no such right.
    func disconnect(_ use: VolumeUse, from host: String) async throws
}
