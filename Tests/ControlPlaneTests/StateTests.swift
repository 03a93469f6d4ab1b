import CloudCore
import Foundation
import TestSupport
import Testing

@testable import ControlPlane

@Suite struct StateTests {
    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test func onlyTheOwnerCanAccessTheDirectory() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path + "/a/state")
            try directory.create()
            try directory.create()
            #expect(try mode(directory.path) == 0o700)
        }
    }

    @Test func aSecondProcessIsRefusedAndToldWhichOneHoldsTheLock() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path)
            var lock: StateLock? = try StateLock(directory)
            let error = #expect(throws: StartError.self) { _ = try StateLock(directory) }
            #expect(error?.description.contains("process \(getpid())") == true)
            withExtendedLifetime(lock) {}
            lock = nil
            _ = try StateLock(directory)
        }
    }

    @Test func theMasterKeyIsMadeOnceAndNeverBesideAnOldDatabase() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path)
            let random = SeededRandomness(seed: 5)
            let key = try directory.masterKey(file: nil, random: random)
            #expect(try directory.masterKey(file: nil, random: random) == key)
            #expect(try directory.masterKey(file: directory.secretKey, random: random) == key)
            #expect(try mode(directory.secretKey) == 0o600)
            try Files.write("", to: directory.database)
            try FileManager.default.removeItem(atPath: directory.secretKey)
            #expect(throws: StartError.self) { _ = try directory.masterKey(file: nil, random: random) }
            try Files.write("short", to: directory.secretKey)
            #expect(throws: StartError.self) { _ = try directory.masterKey(file: nil, random: random) }
            #expect(throws: StartError.self) { _ = try directory.masterKey(file: path + "/none", random: random) }
        }
    }

    @Test func clientFilesKeepTheFirstPasswordsAndFollowTheURL() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path)
            let random = SeededRandomness(seed: 5)
            let first = ClientFiles(directory: directory, url: "http://a.test", region: "RegionOne")
            var admin = ""
            let isFirstKnown = try await first.publish(random: random) {
                admin = $0
                #expect(Files.exists(directory.clouds + ".first"), "the passwords are kept before they are used")
                #expect($0 != $1 && $0.count == 24)
                return true
            }
            #expect(isFirstKnown)
            let text = try #require(try Files.text(directory.clouds))
            #expect(try ClientFiles.passwords(in: text, "").admin == admin)
            #expect(text.contains("auth_url: \"http://a.test/identity/v3\""))
            #expect(try mode(directory.clouds) == 0o600)
            #expect(try mode(directory.openrc) == 0o600)
            #expect(!Files.exists(directory.clouds + ".first"))

            let second = ClientFiles(directory: directory, url: "http://b.test", region: "RegionOne")
            let isSecondKnown = try await second.publish(random: random) { again, _ in
                #expect(again == admin)
                return false
            }
            #expect(isSecondKnown)
            let moved = try #require(try Files.text(directory.clouds))
            #expect(moved == text.replacing("a.test", with: "b.test"))
            #expect(try Files.text(directory.openrc)?.contains("export OS_PASSWORD='\(admin)'") == true)
        }
    }

    @Test func additionsOfTheOwnerStayWhileTheURLIsUnchanged() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path)
            let files = ClientFiles(directory: directory, url: "http://a.test", region: "RegionOne")
            _ = try await files.publish(random: SeededRandomness(seed: 5)) { _, _ in true }
            let text = try #require(try Files.text(directory.clouds)) + "  mine: {auth: {}}\n"
            try Files.write(text, to: directory.clouds)
            _ = try await files.publish(random: SeededRandomness(seed: 6)) { _, _ in false }
            let after = try Files.text(directory.clouds)
            #expect(after == text)
        }
    }

    @Test func aCrashBetweenTheAccountsAndTheFilesLosesNoPassword() async throws {
        struct Crash: Error {}
        try await withTemporaryDirectory { path in
            let files = ClientFiles(directory: StateDirectory(path: path), url: "http://a.test", region: "RegionOne")
            var used = ""
            await #expect(throws: Crash.self) {
                _ = try await files.publish(random: SeededRandomness(seed: 5)) { admin, _ in
                    used = admin
                    throw Crash()
                }
            }
            let isKnown = try await files.publish(random: SeededRandomness(seed: 6)) { admin, _ in
                #expect(admin == used)
                return false
            }
            #expect(isKnown)
        }
    }

    @Test func noPasswordIsInventedWhenTheAccountsAreOlderThanTheFiles() async throws {
        try await withTemporaryDirectory { path in
            let directory = StateDirectory(path: path)
            let files = ClientFiles(directory: directory, url: "http://a.test", region: "RegionOne")
            for seed: UInt64 in [5, 6] {
                let isKnown = try await files.publish(random: SeededRandomness(seed: seed)) { _, _ in false }
                #expect(!isKnown)
                let text = try #require(try Files.text(directory.clouds))
                #expect(!text.contains("password:"))
            }
            // A new database has replaced the old one: its accounts get new passwords, which the files then have.
            let isKnown = try await files.publish(random: SeededRandomness(seed: 7)) { _, _ in true }
            #expect(isKnown)
            let text = try #require(try Files.text(directory.clouds))
            #expect(try ClientFiles.passwords(in: text, "").admin != nil)
        }
    }
}
