import CloudCore
import Foundation
import TestSupport
import Testing

@testable import ControlPlane
@testable import SQL

/// Tests of `novella backup` and `novella restore` on state directories as a cloud leaves them.
@Suite("Backups") struct BackupTests {
    private static func data(_ seed: UInt64, _ count: Int) -> Data { Data(SeededRandomness(seed: seed).bytes(count)) }

    private func backup(
        _ state: String, _ folder: String, _ configuration: Configuration = RunningCloud.configuration, _ progress: BackupProgress = .silent
    ) async throws -> BackupManifest {
        try await Backup.run(configuration, of: StateDirectory(path: state), to: folder, world: .real, progress: progress)
    }

    private func restore(
        _ folder: String, _ state: String, _ configuration: Configuration = RunningCloud.configuration
    ) async throws -> BackupManifest {
        try await Restore.run(configuration, from: folder, to: StateDirectory(path: state), world: .real, progress: .silent)
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("A cloud is backed up while it writes, and a restore brings back all of it")
    func wholeWay() async throws {
        try await withTemporaryDirectory { path in
            let bytes = Self.data(3, 5 << 20)
            let ids = try await RunningCloud.run(path + "/one") { cloud in
                let image = try await cloud.image("picture", bytes)
                let server = try await Self.server(cloud, image)
                let isDone = Box(false)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask {
                        var number = 0
                        while !isDone.value {
                            try await cloud.send("POST", "/identity/v3/users", ["user": ["name": .string("w\(number)")]])
                            number += 1
                        }
                    }
                    defer { isDone.value = true }
                    let manifest = try await backup(path + "/one", path + "/backup")
                    #expect(manifest.blobs.map(\.size) == [Int64(bytes.count)])
                    // The backup does not contain what comes after it.
                    try await cloud.send("POST", "/identity/v3/users", ["user": ["name": "late"]])
                    isDone.value = true
                    try await group.waitForAll()
                }
                return (image: image, server: server)
            }
            #expect(try mode(path + "/backup") == 0o700 && mode(path + "/backup/secret.key") == 0o600)
            #expect(!Files.exists(path + "/backup.partial"))

            _ = try await restore(path + "/backup", path + "/two")
            #expect(!Files.exists(path + "/two.restoring"))
            #expect(try mode(path + "/two/secret.key") == 0o600 && mode(path + "/two/novella.db") == 0o600)
            try await RunningCloud.run(path + "/two") { cloud in
                #expect(try await cloud.bytes("/image/v2/images/\(ids.image)/file") == bytes)
                let server = try await cloud.send("GET", "/compute/v2.1/servers/\(ids.server)")["server"]
                #expect(server?["name"] == "box")
                let users = try await cloud.send("GET", "/identity/v3/users")["users"]?.array ?? []
                let names = users.compactMap { $0["name"]?.string }
                #expect(!names.contains("late"))
                // The copy is of one moment: for each user it has all users that were made before.
                let written = names.compactMap { $0.hasPrefix("w") ? Int($0.dropFirst()) : nil }.sorted()
                #expect(written == Array(0..<written.count))
                // The restored cloud is like any other: it creates servers.
                _ = try await Self.server(cloud, ids.image, named: "next")
            }
        }
    }

    /// Makes a server without a network, and returns its id once it runs.
    private static func server(_ cloud: RunningCloud, _ image: String, named name: String = "box") async throws -> String {
        let flavors = try await cloud.send("GET", "/compute/v2.1/flavors")["flavors"]?.array ?? []
        if flavors.isEmpty {
            try await cloud.send("POST", "/compute/v2.1/flavors", ["flavor": ["id": "1", "name": "f", "vcpus": 1, "ram": 64, "disk": 1]])
        }
        let body: JSON = ["server": ["name": .string(name), "flavorRef": "1", "imageRef": .string(image), "networks": "none"]]
        let id = try #require(try await cloud.send("POST", "/compute/v2.1/servers", body)["server"]?["id"]?.string)
        try await eventually(within: .seconds(60)) {
            try await cloud.send("GET", "/compute/v2.1/servers/\(id)")["server"]?["status"] == "ACTIVE"
        }
        return id
    }

    @Test("If an image is deleted while its data is copied, the backup reads the database again and omits it")
    func deletedMeanwhile() async throws {
        try await withTemporaryDirectory { path in
            let state = path + "/state"
            try await RunningCloud.run(state) { cloud in
                for seed in 1...2 { _ = try await cloud.image("picture \(seed)", Self.data(UInt64(seed), 1 << 20)) }
            }
            let blobs = state + "/images/file/blobs"
            let names = try FileManager.default.subpathsOfDirectory(atPath: blobs).filter { $0.count > 100 }.sorted()
            let second = try #require(names.last)
            let progress = BackupProgress { text in
                if text.hasPrefix("images: 1 of 2") { try? FileManager.default.removeItem(atPath: "\(blobs)/\(second)") }
                guard text.hasPrefix("database, once more"),
                    let database = try? SQLiteConnection(path: state + "/novella.db", .writes, durable: false)
                else { return }
                _ = try? database.execute("DELETE FROM image_location WHERE blob_id = ?", [.text(String(second.suffix(128)))])
                database.close()
            }
            let manifest = try await backup(state, path + "/backup", RunningCloud.configuration, progress)
            #expect(manifest.blobs.map(\.sha512) == [String(names[0].suffix(128))])

            // A row without its data that no delete explains ends the backup.
            try FileManager.default.removeItem(atPath: "\(blobs)/\(names[0])")
            await #expect(throws: StartError.self) { _ = try await backup(state, path + "/other") }
            #expect(!Files.exists(path + "/other") && !Files.exists(path + "/other.partial"))
        }
    }

    @Test("A PostgreSQL database is backed up and restored with PostgreSQL's own programs")
    func postgreSQL() async throws {
        let server = try await PostgresServer.started()
        let (one, two) = (try await server.createDatabase(), try await server.createDatabase())
        @Sendable func configuration(_ name: String) -> Configuration {
            var configuration = RunningCloud.configuration
            configuration.database.connection = Secret(server.parameters(database: name))
            configuration.database.maxPoolSize = 3
            return configuration
        }
        try await withTemporaryDirectory { path in
            let bytes = Self.data(9, 1 << 20)
            let (id, manifest) = try await RunningCloud.run(path + "/one", configuration(one)) { cloud in
                let id = try await cloud.image("picture", bytes)
                return (id, try await backup(path + "/one", path + "/backup", configuration(one)))
            }
            #expect(manifest.database == .postgresql && manifest.files.contains { $0.path == "novella.pgdump" })
            _ = try await restore(path + "/backup", path + "/two", configuration(two))
            try await RunningCloud.run(path + "/two", configuration(two)) { cloud in
                let found = try await cloud.bytes("/image/v2/images/\(id)/file")
                #expect(found == bytes)
            }
            // A restore does not overwrite a database that is in use, and leaves nothing of the attempt.
            await #expect(throws: StartError.self) { _ = try await restore(path + "/backup", path + "/three", configuration(two)) }
            #expect(!Files.exists(path + "/three") && !Files.exists(path + "/three.restoring"))
        }
        for name in [one, two] { try await server.dropDatabase(name) }
    }

    @Test("A restore refuses a damaged backup, an existing cloud and another kind of database, and leaves nothing")
    func refusals() async throws {
        try await withTemporaryDirectory { path in
            try await RunningCloud.run(path + "/state") { cloud in _ = try await cloud.image("picture", Self.data(1, 1 << 20)) }
            let folder = path + "/backup"
            let manifest = try await backup(path + "/state", folder)
            await #expect(throws: StartError.self, "a folder that is not empty") { _ = try await backup(path + "/state", folder) }
            await #expect(throws: StartError.self, "a cloud is there") { _ = try await restore(folder, path + "/state") }
            await #expect(throws: StartError.self, "no backup") { _ = try await restore(path + "/state", path + "/new") }
            await #expect(throws: StartError.self, "another database") {
                var configuration = RunningCloud.configuration
                configuration.database.connection = Secret("postgresql://nobody@127.0.0.1:1/none")
                _ = try await restore(folder, path + "/new", configuration)
            }
            let blob = try #require(manifest.blobs.first)
            for name in ["novella.db", "secret.key", "images/file/blobs/\(blob.sha512.prefix(2))/\(blob.sha512)"] {
                let file = "\(folder)/\(name)"
                let good = try #require(FileManager.default.contents(atPath: file))
                var bad = good
                bad[bad.count / 2] ^= 1
                try bad.write(to: URL(filePath: file))
                let error = await #expect(throws: StartError.self, "\(name)") { _ = try await restore(folder, path + "/new") }
                #expect(error?.description.contains("damaged") == true)
                try good.write(to: URL(filePath: file))
            }
            #expect(!Files.exists(path + "/new") && !Files.exists(path + "/new.restoring"))
            try FileManager.default.createDirectory(atPath: path + "/new", withIntermediateDirectories: false)
            #expect(try await restore(folder, path + "/new") == manifest, "an empty folder is free")
        }
    }
}
