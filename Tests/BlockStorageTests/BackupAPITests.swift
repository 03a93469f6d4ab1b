@testable import BlockStorage
import CloudCore
import ControlPlane
import HTTPTypes
import TestSupport
import Testing

@Suite("The API of backups")
struct BackupAPITests {
    @Test("Lists are filtered, sorted and cut; members come with their versions")
    func lists() async throws {
        try await VolumeClient.run { cloud in
            let (admin, client) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let volume = try await client.volume()
            var ids: [String] = []
            for name in ["b", "c", "a"] {
                cloud.clock.advance(by: .seconds(1))
                ids.append(try await client.backup(of: volume, ["name": .string(name)]))
            }
            func names(_ query: String) async -> [String] { await client.names("/backups" + query, "backups") }
            #expect(await names("") == ["a", "c", "b"])
            #expect(await names("?sort=name:asc") == ["a", "b", "c"])
            #expect(await names("?name=c") == ["c"])
            #expect(await names("?name=c&status=available&volume_id=\(volume)") == ["c"])
            #expect(await names("?status=error") == [])
            #expect(await names("/detail?limit=1&marker=\(ids[2])") == ["c"])
            let page = await client.good(.get, "/backups?limit=2&with_count=true")
            #expect(page["count"] == 3 && page["backups"]?.array?.count == 2 && page["backups_links"] != nil)
            #expect(page["backups"]?.array?.first?.object?.keys == ["id", "name", "links"])
            await client.refused(.badRequest, .get, "/backups?size=1")
            await client.refused(.badRequest, .get, "/backups?sort_key=name", minor: 36)
            #expect(await admin.good(.get, "/backups")["backups"] == [])
            #expect(await admin.good(.get, "/backups?all_tenants=1")["backups"]?.array?.count == 3)

            #expect(await client.show(backup: ids[0])["metadata"] == [:])
            #expect(await client.show(backup: ids[0], minor: 42)["metadata"] == nil)
            #expect(await client.show(backup: ids[0])["os-backup-project-attr:project_id"] == nil)
            let shown = await admin.show(backup: ids[0])
            #expect(shown["os-backup-project-attr:project_id"] != nil && shown["user_id"] != nil)
            #expect(await admin.show(backup: ids[0], minor: 55)["user_id"] == nil)
            #expect(await admin.show(backup: ids[0], minor: 17)["os-backup-project-attr:project_id"] == nil)
        }
    }

    @Test("Names, descriptions and metadata are changed; an administrator resets states")
    func changes() async throws {
        try await VolumeClient.run { cloud in
            let (admin, client) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let id = try await client.backup(of: try await client.volume(), ["metadata": ["a": "b"]])
            let path = "/backups/\(id)"
            #expect(await client.show(backup: id)["metadata"] == ["a": "b"])
            let body: JSON = ["backup": ["name": "new", "description": " more ", "metadata": ["c": "d"]]]
            await client.refused(.notFound, .put, path, body, minor: 8)
            await client.refused(.badRequest, .put, path, body, minor: 42)
            #expect(await client.good(.put, path, body)["backup"]?["name"] == "new")
            let shown = await client.show(backup: id)
            #expect(shown["description"] == "more" && shown["metadata"] == ["c": "d"] && shown["updated_at"] != .null)
            let reset: JSON = ["os-reset_status": ["status": "error"]]
            await client.refused(.forbidden, .post, path + "/action", reset)
            await admin.refused(.badRequest, .post, path + "/action", ["os-reset_status": ["status": "creating"]])
            await admin.good(.post, path + "/action", reset)
            #expect(await client.show(backup: id)["status"] == "error")
            await client.refused(.badRequest, .post, path + "/action", ["os-nothing": [:]])
            let old: JSON = ["backup": ["volume_id": .string(id), "metadata": [:]]]
            await client.refused(.badRequest, .post, "/backups", old, minor: 42)
        }
    }

    @Test("Quotas count backups and their gigabytes")
    func quotas() async throws {
        try await VolumeClient.run { cloud in
            let (admin, client) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let volume = try await client.volume(["size": 3])
            let id = try await client.backup(of: volume)
            let project = try #require(await admin.show(backup: id)["os-backup-project-attr:project_id"]?.string)
            let path = "/os-quota-sets/\(project)"
            let used = await admin.good(.get, path + "?usage=true")["quota_set"]
            #expect(used?["backups"]?["in_use"] == 1 && used?["backup_gigabytes"]?["in_use"] == 3, "\(used ?? .null)")
            await admin.good(.put, path, ["quota_set": ["backup_gigabytes": 5]])
            let wish: JSON = ["backup": ["volume_id": .string(volume)]]
            #expect(
                await client.refused(.contentTooLarge, .post, "/backups", wish)
                    == "Requested backup exceeds allowed Backup gigabytes quota. Requested 3G, quota is 5G and 3G has "
                    + "been consumed.")
            await admin.good(.put, path, ["quota_set": ["backup_gigabytes": -1, "backups": 1]])
            #expect(
                await client.refused(.contentTooLarge, .post, "/backups", wish)
                    == "Maximum number of backups allowed (1) exceeded")
            await client.good(.delete, "/backups/\(id)")
            try await cloud.settleAll()
            let limits = await client.good(.get, "/limits")["limits"]?["absolute"]
            #expect(limits?["totalBackupsUsed"] == 0 && limits?["totalBackupGigabytesUsed"] == 0)
        }
    }

    @Test("A record brings a backup back while its pieces are there")
    func records() async throws {
        try await VolumeClient.run { cloud in
            let (admin, client) = (try await VolumeClient(cloud), try await VolumeClient.member(cloud))
            let volume = try await client.volume()
            try client.write(1, at: 0, to: volume)
            let id = try await client.backup(of: volume)
            await client.refused(.forbidden, .get, "/backups/\(id)/export_record")
            let record = await admin.good(.get, "/backups/\(id)/export_record")["backup-record"] ?? .null
            #expect(record["backup_service"]?.string?.hasPrefix("cinder.backup.drivers") == true)
            let body: JSON = ["backup-record": record]
            await client.refused(.forbidden, .post, "/backups/import_record", body)
            #expect(
                await admin.refused(.badRequest, .post, "/backups/import_record", body)
                    == "Invalid backup: Backup already exists in database.")
            await client.good(.delete, "/backups/\(id)")
            try await cloud.settleAll()
            let taken = await admin.send(.post, "/backups/import_record", body)
            #expect(taken.status == .created && taken.json["backup"]?["id"] == .string(id), "\(taken.text)")
            cloud.clock.advance(by: BackupKeeper.grace + .seconds(1))
            _ = try await BackupKeeper(context: cloud.cloud.blockStorage.context).reconcile()
            let later = try await VolumeClient(cloud)
            let restored = try await later.restore(id)
            #expect(try later.read(at: 0, from: restored) == 1)
            await later.good(.delete, "/backups/\(id)")
            try await cloud.settleAll()
            cloud.clock.advance(by: BackupKeeper.grace + .seconds(1))
            let last = try await VolumeClient(cloud)
            await last.refused(.badRequest, .post, "/backups/import_record", body)
            for text in ["e30=", "!!", ""] {
                let service = JSON.string(BackupRecords.service)
                let wrong: JSON = ["backup-record": ["backup_service": service, "backup_url": .string(text)]]
                await last.refused(.badRequest, .post, "/backups/import_record", wrong)
            }
        }
    }

    @Test("The service of backups is listed")
    func services() async throws {
        try await VolumeClient.run { cloud in
            let admin = try await VolumeClient(cloud)
            let found = await admin.good(.get, "/os-services?binary=cinder-backup")["services"]?.array ?? []
            #expect(found.count == 1 && found.first?["state"] == "up" && found.first?["zone"] == "nova")
        }
    }
}
