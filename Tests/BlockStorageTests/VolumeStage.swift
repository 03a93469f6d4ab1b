import Access
import Blobs
@testable import BlockStorage
import CloudCore
import Durable
import HostModel
import Resources
import SQL
import TestSupport

/// The rows, the hosts and the images around one workflow of a volume.
struct VolumeStage: WorkflowStage {
    let database: Database
    let world: World
    let hosts: MemoryHosts
    let images = MemoryVolumeImages()
    let chunks = MemoryChunks()
    private let context: BlockStorageContext
    private let begin: @Sendable (VolumeStage, Workflows, Transaction) throws -> WorkflowID
    /// The things on hosts and in Images before the workflow.
    private let before: Set<String>
    /// Whether the workflow makes the volume larger.
    private let grows: Bool

    static let volumeID = ID<Kind.Volume>("33333333-3333-4333-8333-333333333333")
    static let snapshotID = ID<Kind.Snapshot>("44444444-4444-4444-8444-444444444444")
    static let typeID = ID<VolumeType>("55555555-5555-4555-8555-555555555555")
    static let backupID = ID<VolumeBackup>("88888888-8888-4888-8888-888888888888")
    static let manifestID = ID<BackupManifest>("99999999-9999-4999-8999-999999999999")
    static let imageID = ID<Kind.Image>("66666666-6666-4666-8666-666666666666")
    static let principal = Principal(
        userID: "u", userName: "u", userDomain: .init(id: "default", name: "Default"),
        scope: .project(id: "p", name: "p", domain: .init(id: "default", name: "Default")),
        roles: [.init(id: "member", name: "member")], expiresAt: Timestamp(seconds: 4_000_000_000))

    /// The rows before the workflow.
    struct Setting: Sendable {
        /// The volume's state; nil if there is no volume.
        var status: VolumeStatus?
        var previous: VolumeStatus?
        /// The state of a snapshot of the volume; nil if there is none.
        var snapshot: SnapshotStatus?
        /// The size that the quota counts, in GiB.
        var claimed = 1
        /// Whether the snapshot's bytes are on the host.
        var isSnapshotThere = true
        /// Whether the volume's bytes are on the host.
        var isVolumeThere = true
        /// The state of a backup of the volume; nil if there is none.
        var backup: BackupStatus?
        /// The state of the volume's migration.
        var migration: String?
        /// The number of the host's pools.
        var pools = 1
        /// The file of the pool that is nobody's; nil if there is none.
        var file: String?
    }

    init(
        _ database: Database, _ world: World, _ setting: Setting,
        begin: @escaping @Sendable (VolumeStage, Workflows, Transaction) throws -> WorkflowID
    ) async throws {
        self.database = database
        self.world = world
        self.begin = begin
        hosts = MemoryHosts(pools: setting.pools)
        grows = setting.claimed > 1
        let base = ServiceContext(
            database: database, policy: try Policy(defaults: BlockStoragePolicy.defaults), world: world,
            topic: Topic("volumes"), prefix: "volume")
        context = BlockStorageContext(
            base: base,
            needs: .init(
                hosts: hosts, images: images, identity: AllProjects(), logs: FixedLog(), servers: NoServers(),
                chunks: chunks),
            workflows: try Workflows(VolumeWork.types, world: world), sleeper: ClockSleeper(clock: world.clock))
        let type = VolumeType(id: Self.typeID, name: "t", isPublic: true, createdAt: world.now)
        let volume = setting.status.map { status in
            var volume = Self.volume(world)
            (volume.status, volume.previousStatus, volume.claimedSize) = (status, setting.previous, setting.claimed)
            (volume.host, volume.pool, volume.generation) = ("host-1", "volumes", 1)
            volume.migration = setting.migration
            return volume
        }
        try await database.write { tx in
            try VolumeTypeStore().insert(type, in: tx)
            guard let volume else { return }
            try VolumeStore().insert(volume, in: tx)
            if let status = setting.backup { try Self.insertBackup(of: volume, status, world, tx) }
            guard let status = setting.snapshot else { return }
            var snapshot = Self.snapshot(of: volume, world)
            (snapshot.status, snapshot.generation) = (status, 1)
            try SnapshotStore().insert(snapshot, in: tx)
        }
        if let file = setting.file { hosts.bring(file, bytes: 1 << 30) }
        if let volume, setting.isVolumeThere {
            let fence = Fence(epoch: 0, generation: 1)
            let spec = try Wanted(volume, type: nil).spec
            _ = try await hosts.ensure(spec, from: .nothing, on: "host-1", fence: fence)
            if setting.snapshot != nil, setting.isSnapshotThere {
                _ = try await hosts.snapshot(Self.snapshotID, of: volume.id, on: "host-1", fence: fence)
            }
        }
        before = Set(hosts.inventory + images.inventory)
    }

    static func volume(_ world: World) -> Volume {
        var volume = Volume(
            id: volumeID, projectID: "p", userID: "u", size: 1, typeID: typeID, createdAt: world.now)
        volume.zone = "nova"
        return volume
    }

    static func snapshot(of volume: Volume, _ world: World) -> VolumeSnapshot {
        VolumeSnapshot(id: snapshotID, of: volume, projectID: "p", userID: "u", createdAt: world.now)
    }

    private static func insertBackup(
        of volume: Volume, _ status: BackupStatus, _ world: World, _ tx: Transaction
    ) throws {
        var backup = VolumeBackup(
            id: backupID, of: volume.id, size: 1, projectID: "p", userID: "u", createdAt: world.now)
        (backup.status, backup.manifestID) = (status, manifestID)
        var manifest = BackupManifest(id: manifestID, projectID: "p")
        if status == .restoring { (manifest.bytes, manifest.done) = (1, 1) }
        try BackupManifestStore().insert(manifest, in: tx)
        try BackupStore().insert(backup, in: tx)
    }

    func definitions() -> [WorkflowDefinition] { VolumeWork.definitions(VolumeWorld(context: context)) }

    func start(_ workflows: Workflows, in tx: Transaction) throws -> WorkflowID { try begin(self, workflows, tx) }

    func outcome(_ tx: Transaction) throws -> String {
        (try rows(tx) + hosts.inventory + images.inventory).joined(separator: "\n")
    }

    /// The states in which a workflow works on a volume or a snapshot.
    private static let passing: Set<String> = [
        "creating", "downloading", "deleting", "extending", "uploading", "reverting", "restoring", "managing",
        "unmanaging", "retyping", "maintenance", "starting", "migrating", "backing-up", "restoring-backup",
        "passing",
    ]

    func leftovers(_ tx: Transaction) throws -> [String] {
        // A volume that has grown keeps the larger size: no undo may cut off bytes.
        let grown = grows ? "bytes of \(Self.volumeID), 2 GiB on host-1" : ""
        let things = (hosts.inventory + images.inventory).filter { !before.contains($0) && $0 != grown }
        let states = try rows(tx).filter { row in
            row.split(separator: " ").contains { Self.passing.contains(String($0)) }
        }
        return things + states
    }

    private func rows(_ tx: Transaction) throws -> [String] {
        let page = try RowPage(ListPage(), by: [(key: "id", ascending: true)], ListColumn.volumes)
        let volumes = try VolumeStore().page(VolumeFilter(), page, in: tx).map { volume in
            "volume \(volume.id) \(volume.status.rawValue) \(volume.size) of \(volume.claimedSize) GiB at "
                + "\(volume.place ?? "-"), then \(volume.previousStatus?.rawValue ?? "-"), migration "
                + "\(volume.migration ?? "-")"
        }
        let snapshots = try SnapshotStore().page(SnapshotStore.Filter(), page, in: tx).map {
            "row of snapshot \($0.id) \($0.status.rawValue)"
        }
        let backups = try BackupStore().page(.init(), page, in: tx).map { backup in
            "row of backup \(backup.id) \(backup.status.rawValue), \(backup.objectCount) pieces of "
                + "\(backup.manifestID?.text ?? "-")"
        }
        let manifest = try BackupManifestStore().find(Self.manifestID, in: tx).map { manifest in
            let isOwned = try BackupStore().uses(manifest.id, in: tx)
            let isRight = isOwned == (manifest.freedAt == nil)
            return "list of pieces \(isOwned ? "owned" : "free")\(isRight ? "" : ", but passing")"
        }
        let messages = try MessageStore().page(.init(), page, in: tx).map { "message \($0.eventID)" }
        return volumes + snapshots + backups + (manifest.map { [$0] } ?? []) + messages.sorted()
    }
}
