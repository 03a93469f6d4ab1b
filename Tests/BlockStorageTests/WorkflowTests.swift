@testable import BlockStorage
import CloudCore
import Durable
import HostModel
import SQL
import TestSupport
import Testing

@Suite("Workflows of volumes")
struct WorkflowTests {
    private static func fixture<W: Workflow>(
        _ workflow: W.Type, _ setting: VolumeStage.Setting,
        begin: @escaping @Sendable (VolumeStage, Workflows, Transaction) throws -> WorkflowID
    ) -> WorkflowFixture {
        // The runner's list has all of the service's workflows, as in the product.
        let company = VolumeWork.types.filter { Outline($0).key != Outline(workflow).key }
        return WorkflowFixture(workflow, with: company, schemas: [.blockStorage]) { database, world in
            try await VolumeStage(database, world, setting, begin: begin)
        }
    }

    private static func fixture<W: Workflow>(
        _ workflow: W.Type, _ setting: VolumeStage.Setting, _ input: W.Input
    ) -> WorkflowFixture {
        fixture(workflow, setting) { _, workflows, tx in
            try workflows.start(
                workflow, input, on: Volume.resource(VolumeStage.volumeID), as: VolumeStage.principal, in: tx)
        }
    }

    private static func creation(_ content: CreateVolume.Content, from setting: VolumeStage.Setting) -> WorkflowFixture
    {
        fixture(CreateVolume.self, setting) { stage, workflows, tx in
            var volume = VolumeStage.volume(stage.world)
            if setting.status != nil {
                volume = Volume(
                    id: "77777777-7777-4777-8777-777777777777", projectID: "p", userID: "u", size: 1,
                    typeID: VolumeStage.typeID, createdAt: stage.world.now)
            }
            try VolumeStore().insert(volume, in: tx)
            let input = CreateVolume.Input(volumeID: volume.id, content: content, terms: .init())
            return try workflows.start(
                CreateVolume.self, input, on: volume.resource, as: VolumeStage.principal, in: tx)
        }
    }

    private static let volume = VolumeStage.volumeID
    private static let snapshot = VolumeStage.snapshotID

    static let fixtures: [WorkflowFixture] = [
        creation(.nothing, from: .init()), creation(.image(VolumeStage.imageID), from: .init()),
        creation(.volume(volume), from: .init(status: .available)),
        creation(.snapshot(snapshot), from: .init(status: .available, snapshot: .available)),
        fixture(DeleteVolume.self, .init(status: .deleting), .init(volumeID: volume)),
        fixture(DeleteVolume.self, .init(status: .deleting, snapshot: .deleting), .init(volumeID: volume)),
        fixture(
            ExtendVolume.self, .init(status: .extending, previous: .available, claimed: 2),
            .init(volumeID: volume, size: 2)),
        fixture(
            ExtendVolume.self, .init(status: .extending, previous: .inUse, claimed: 2), .init(volumeID: volume, size: 2)
        ),
        fixture(
            RevertVolume.self, .init(status: .reverting, previous: .available, snapshot: .restoring),
            .init(volumeID: volume, snapshotID: snapshot)),
        fixture(
            UploadVolume.self, .init(status: .uploading, previous: .available),
            .init(volumeID: volume, image: VolumeImage(id: VolumeStage.imageID, name: "copy"))),
        fixture(
            ReimageVolume.self, .init(status: .downloading, previous: .available),
            .init(volumeID: volume, imageID: VolumeStage.imageID)),
        fixture(
            CreateSnapshot.self, .init(status: .available, snapshot: .creating, isSnapshotThere: false),
            .init(snapshotID: snapshot, volumeID: volume)),
        fixture(
            DeleteSnapshot.self, .init(status: .available, snapshot: .deleting),
            .init(snapshotID: snapshot, volumeID: volume)),
        fixture(
            ManageVolume.self, .init(status: .managing, claimed: 0, isVolumeThere: false, file: "brought.raw"),
            .init(volumeID: volume, file: "brought.raw", host: "host-1", pool: "volumes")),
        fixture(UnmanageVolume.self, .init(status: .unmanaging), .init(volumeID: volume)),
        fixture(
            ManageSnapshot.self,
            .init(status: .available, snapshot: .creating, isSnapshotThere: false, file: "brought.raw"),
            .init(snapshotID: snapshot, volumeID: volume, file: "brought.raw")),
        fixture(
            UnmanageSnapshot.self, .init(status: .available, snapshot: .unmanaging),
            .init(snapshotID: snapshot, volumeID: volume)),
        fixture(
            CreateBackup.self, .init(status: .backingUp, previous: .available, backup: .creating),
            .init(backupID: VolumeStage.backupID, volumeID: volume)),
        fixture(
            CreateBackup.self, .init(status: .available, snapshot: .backingUp, backup: .creating),
            .init(backupID: VolumeStage.backupID, volumeID: volume, snapshotID: snapshot)),
        fixture(
            RestoreBackup.self, .init(status: .restoringBackup, previous: .available, backup: .restoring),
            .init(backupID: VolumeStage.backupID, volumeID: volume)),
        fixture(
            DeleteBackup.self, .init(status: .available, backup: .deleting), .init(backupID: VolumeStage.backupID)),
        restoration,
        migration(.init(status: .available, migration: "starting", pools: 2), .init(volumeID: volume)),
        migration(
            .init(status: .maintenance, previous: .available, migration: "starting", pools: 2),
            .init(volumeID: volume, target: "host-1@volumes-2#volumes-2")),
        migration(
            .init(status: .retyping, previous: .available, migration: "starting", pools: 2),
            .init(volumeID: volume, target: "host-1@volumes-2#volumes-2", typeID: VolumeStage.typeID)),
    ]

    /// A backup that becomes a new volume.
    private static let restoration = fixture(
        RestoreBackup.self, .init(status: .available, backup: .restoring)
    ) { stage, workflows, tx in
        var volume = Volume(
            id: "77777777-7777-4777-8777-777777777777", projectID: "p", userID: "u", size: 1,
            typeID: VolumeStage.typeID, createdAt: stage.world.now)
        volume.status = .restoringBackup
        try VolumeStore().insert(volume, in: tx)
        let input = RestoreBackup.Input(backupID: VolumeStage.backupID, volumeID: volume.id, terms: .init())
        return try workflows.start(RestoreBackup.self, input, on: volume.resource, as: VolumeStage.principal, in: tx)
    }

    private static func migration(
        _ setting: VolumeStage.Setting, _ input: MigrateVolume.Input
    ) -> WorkflowFixture { fixture(MigrateVolume.self, setting, input) }

    @Test("Each workflow completes or is undone without leftovers, whatever fails at any step", arguments: fixtures)
    func conforms(_ fixture: WorkflowFixture) async throws { try await fixture.conforms(on: .usual) }

    @Test("A workflow complains or ends the same if a value that an earlier step noted is missing", arguments: fixtures)
    func complains(_ fixture: WorkflowFixture) async throws {
        #expect(try await fixture.complainsOfWhatIsMissing(on: .sqlite) > 0)
    }

    @Test("Each workflow of a volume has a fixture")
    func complete() { #expect(WorkflowFixture.missing(for: VolumeWork.types, in: Self.fixtures) == []) }
}
