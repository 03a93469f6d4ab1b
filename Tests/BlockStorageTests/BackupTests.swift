import Blobs
@testable import BlockStorage
import CloudCore
import ControlPlane
import HTTPTypes
import HostModel
import TestSupport
import Testing

@Suite("Backups")
struct BackupTests {
    private static let piece = Int64(ChunkID.mostBytes)

    @Test("A volume comes back from its backup in a new volume, and the bytes go after the grace time")
    func life() async throws {
        try await VolumeClient.run { cloud in
            let client = try await VolumeClient.member(cloud)
            let volume = try await client.volume(["metadata": ["color": "red"], "description": "words"])
            try client.write(1, at: 0, to: volume)
            try client.write(2, at: 5 * Self.piece, to: volume)
            let wish: JSON = ["backup": ["volume_id": .string(volume), "name": " b ", "container": "c"]]
            let made = await client.good(.post, "/backups", wish)["backup"] ?? .null
            #expect(made["name"] == "b" && made.object?.keys == ["id", "name", "links"], "\(made)")
            #expect(await client.status(volume) == "backing-up")
            let id = try #require(made["id"]?.string)
            #expect(await client.show(backup: id)["status"] == "creating")
            try await cloud.settleAll()
            #expect(await client.status(volume) == "available")
            let backup = await client.show(backup: id)
            #expect(backup["status"] == "available" && backup["object_count"] == 2 && backup["size"] == 1, "\(backup)")
            #expect(backup["is_incremental"] == false && backup["has_dependent_backups"] == false)
            #expect(backup["availability_zone"] == "nova" && backup["container"] == "c")
            #expect(backup["data_timestamp"] == backup["created_at"] && backup["fail_reason"] == .null)
            #expect(try await client.chunks().count == 2)
            let begun = await client.good(.post, "/backups/\(id)/restore", ["restore": [:]])["restore"]
            let restored = try #require(begun?["volume_id"]?.string)
            #expect(begun?["backup_id"] == .string(id) && begun?["volume_name"] == .string("restore_backup_\(id)"))
            #expect(await client.status(restored) == "restoring-backup")
            #expect(await client.show(backup: id)["status"] == "restoring")
            try await cloud.settleAll()
            let new = await client.show(restored)
            #expect(new["status"] == "available" && new["name"] == "v" && new["description"] == "words", "\(new)")
            #expect(new["metadata"] == ["color": "red", "src_backup_id": .string(id)])
            #expect(await client.show(backup: id)["status"] == "available")
            #expect(try client.read(at: 0, from: restored) == 1 && client.read(at: 5 * Self.piece, from: restored) == 2)
            #expect(try client.read(at: Self.piece, from: restored) == 0)
            await client.good(.delete, "/backups/\(id)")
            try await cloud.settleAll()
            await client.refused(.notFound, .get, "/backups/\(id)")
            try await Self.keep(cloud)
            #expect(try await client.chunks().count == 2)
            cloud.clock.advance(by: BackupKeeper.grace + .seconds(1))
            try await Self.keep(cloud)
            #expect(try await client.chunks().isEmpty)
        }
    }

    private static func keep(_ cloud: TestCloud) async throws {
        _ = try await BackupKeeper(context: cloud.cloud.blockStorage.context).reconcile()
    }

    @Test("An incremental backup stores what is new, needs no other one, and keeps its parent from being deleted")
    func incremental() async throws {
        try await VolumeClient.run { cloud in
            let client = try await VolumeClient.member(cloud)
            let volume = try await client.volume()
            let wish: JSON = ["backup": ["volume_id": .string(volume), "incremental": true]]
            #expect(
                await client.refused(.badRequest, .post, "/backups", wish)
                    == "Invalid backup: No backups available to do an incremental backup.")
            for number in 0..<3 { try client.write(UInt8(number + 1), at: Int64(number) * Self.piece, to: volume) }
            let full = try await client.backup(of: volume)
            #expect(try await client.chunks().count == 3)
            try client.write(9, at: Self.piece, to: volume)
            let second = try await client.backup(of: volume, ["incremental": true])
            #expect(try await client.chunks().count == 4)
            #expect(await client.show(backup: second)["is_incremental"] == true)
            #expect(await client.show(backup: second)["object_count"] == 3)
            #expect(await client.show(backup: full)["has_dependent_backups"] == true)
            let refusal = await client.refused(.badRequest, .delete, "/backups/\(full)")
            #expect(refusal == "Invalid backup: Incremental backups exist for this backup.")
            for (backup, byte) in [(full, UInt8(2)), (second, 9)] {
                let restored = try await client.restore(backup)
                #expect(try client.read(at: Self.piece, from: restored) == byte)
                #expect(try client.read(at: 2 * Self.piece, from: restored) == 3)
            }
            await client.good(.delete, "/backups/\(second)")
            try await cloud.settleAll()
            #expect(await client.show(backup: full)["has_dependent_backups"] == false)
            cloud.clock.advance(by: BackupKeeper.grace + .seconds(1))
            try await Self.keep(cloud)
            #expect(try await client.chunks().count == 3)
            let later = try await VolumeClient.member(cloud)
            #expect(try later.read(at: Self.piece, from: try await later.restore(full)) == 2)
        }
    }

    @Test("A volume in use needs force, and a snapshot has the bytes of its moment")
    func sources() async throws {
        try await VolumeClient.run { cloud in
            let client = try await VolumeClient.member(cloud)
            let volume = try await client.volume()
            try client.write(1, at: 0, to: volume)
            let snapshot = try await client.snapshot(of: volume)
            try client.write(2, at: 0, to: volume)
            await client.act(volume, "os-attach", ["host_name": "h", "mountpoint": "/mnt"])
            let plain: JSON = ["backup": ["volume_id": .string(volume)]]
            #expect(
                await client.refused(.badRequest, .post, "/backups", plain)
                    == "Invalid volume: Backing up an in-use volume must use the force flag.")
            let forced = try await client.backup(of: volume, ["force": true])
            #expect(await client.status(volume) == "in-use")
            #expect(try client.read(at: 0, from: try await client.restore(forced)) == 2)
            let made = await client.good(
                .post, "/backups", ["backup": ["volume_id": .string(volume), "snapshot_id": .string(snapshot)]])
            #expect(await client.good(.get, "/snapshots/\(snapshot)")["snapshot"]?["status"] == "backing-up")
            try await cloud.settleAll()
            let shown = await client.good(.get, "/snapshots/\(snapshot)")["snapshot"]
            #expect(shown?["status"] == "available")
            let id = try #require(made["backup"]?["id"]?.string)
            #expect(await client.show(backup: id)["snapshot_id"] == .string(snapshot))
            #expect(await client.show(backup: id)["data_timestamp"] == shown?["created_at"])
            #expect(try client.read(at: 0, from: try await client.restore(id)) == 1)
            let other = try await client.volume()
            let wrong: JSON = ["backup": ["volume_id": .string(other), "snapshot_id": .string(snapshot)]]
            await client.refused(.badRequest, .post, "/backups", wrong)
        }
    }

    @Test("A volume of the same size or a larger one is overwritten, and a smaller one is refused")
    func overwriting() async throws {
        try await VolumeClient.run { cloud in
            let client = try await VolumeClient.member(cloud)
            let volume = try await client.volume(["size": 2])
            try client.write(1, at: 0, to: volume)
            let backup = try await client.backup(of: volume)
            try client.write(2, at: 0, to: volume)
            try client.write(3, at: 8192, to: volume)
            #expect(try await client.restore(backup, ["volume_id": .string(volume)]) == volume)
            #expect(try client.read(at: 0, from: volume) == 1 && client.read(at: 8192, from: volume) == 0)
            let shown = await client.show(volume)
            #expect(shown["status"] == "available" && shown["name"] == "v" && shown["metadata"] == [:], "\(shown)")
            let larger = try await client.volume(["size": 3, "name": "large"])
            _ = try await client.restore(backup, ["volume_id": .string(larger)])
            #expect(try client.read(at: 0, from: larger) == 1)
            let grown = await client.show(larger)
            #expect(grown["size"] == 3 && grown["name"] == "large")
            let smaller = try await client.volume()
            let wish: JSON = ["restore": ["volume_id": .string(smaller)]]
            #expect(
                await client.refused(.badRequest, .post, "/backups/\(backup)/restore", wish)
                    == "Invalid volume: volume size 1 is too small to restore backup of size 2.")
            let made = await client.good(
                .post, "/volumes", ["volume": ["backup_id": .string(backup), "name": "n", "size": 4]])["volume"]
            #expect(made?["status"] == "creating" && made?["size"] == 4)
            try await cloud.settleAll()
            let id = try #require(made?["id"]?.string)
            #expect(try client.read(at: 0, from: id) == 1)
            let new = await client.show(id)
            #expect(new["status"] == "available" && new["name"] == "n")
            let small: JSON = ["volume": ["backup_id": .string(backup), "size": 1]]
            await client.refused(.badRequest, .post, "/volumes", small)
        }
    }

    @Test("A backup that fails is in error, and the volume is as before; a damaged one is named by the message")
    func failures() async throws {
        try await VolumeClient.run { cloud in
            let client = try await VolumeClient.member(cloud)
            let bad = try await client.volume(["metadata": ["simulate:fault": "export-fails"]])
            let failed = try await client.backup(of: bad)
            let shown = await client.show(backup: failed)
            #expect(shown["status"] == "error" && shown["fail_reason"] == "The volume could not be copied.")
            #expect(await client.status(bad) == "available")
            let messages = await client.good(.get, "/messages?resource_uuid=\(failed)")["messages"]?.array ?? []
            #expect(messages.first?["event_id"] == "VOLUME_VOLUME_BACKUP_013_020", "\(messages)")
            await client.refused(.badRequest, .post, "/backups/\(failed)/restore", ["restore": [:]])
            let other = try await client.backup(of: try await client.volume(), ["availability_zone": "moon"])
            #expect(await client.show(backup: other)["fail_reason"] == "Service not found for creating backup.")

            let volume = try await client.volume()
            try client.write(1, at: 0, to: volume)
            let backup = try await client.backup(of: volume)
            for chunk in try await client.chunks() {
                _ = try await cloud.chunks.remove(
                    chunk.id, of: chunk.owner, storedBefore: cloud.world.now + .seconds(1))
            }
            let target = try await client.restore(backup, ["volume_id": .string(volume)])
            #expect(await client.status(target) == "error_restoring")
            #expect(await client.show(backup: backup)["status"] == "available")
            let told = await client.good(.get, "/messages?resource_uuid=\(backup)")["messages"]?.array?.first
            #expect(told?["event_id"] == "VOLUME_VOLUME_BACKUP_015_026")
            #expect(told?["user_message"]?.string?.contains("Backup \(backup) is damaged") == true, "\(told ?? .null)")
            let new = try await client.restore(backup)
            #expect(await client.status(new) == "error_restoring")
            await client.good(.delete, "/volumes/\(new)")
            try await cloud.settleAll()
            await client.refused(.notFound, .get, "/volumes/\(new)")
        }
    }

    @Test("A forced delete calls the making of a backup off")
    func forcedDelete() async throws {
        try await VolumeClient.run { cloud in
            let (admin, client) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let volume = try await client.volume()
            try client.write(1, at: 0, to: volume)
            let made = await client.good(.post, "/backups", ["backup": ["volume_id": .string(volume)]])
            let id = try #require(made["backup"]?["id"]?.string)
            await client.refused(.badRequest, .delete, "/backups/\(id)")
            await client.refused(.forbidden, .post, "/backups/\(id)/action", ["os-force_delete": [:]])
            await admin.good(.post, "/backups/\(id)/action", ["os-force_delete": [:]])
            try await cloud.settleAll()
            await client.refused(.notFound, .get, "/backups/\(id)")
            #expect(await client.status(volume) == "available")
            cloud.clock.advance(by: BackupKeeper.grace + .seconds(1))
            try await Self.keep(cloud)
            #expect(try await client.chunks().isEmpty)
        }
    }
}
