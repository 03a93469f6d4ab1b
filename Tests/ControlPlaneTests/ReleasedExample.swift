import CloudCore
@testable import Compute
import Foundation
import HTTPTypes
import HostModel
import SQL
import TestSupport
import Testing

@testable import ControlPlane

/// The state that a release left behind (docs/releases.md).
struct ReleasedExample: CustomTestStringConvertible {
    let version: String
    let kind: DatabaseKind

    var testDescription: String { "\(version) on \(kind == .sqlite ? "SQLite" : "PostgreSQL")" }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().path + "/Released"

    /// The examples of every release that has a folder, on both databases.
    static let all: [ReleasedExample] = {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let versions = names.filter { $0.first?.isNumber == true }.sorted()
        return versions.flatMap { version in DatabaseKind.allCases.map { ReleasedExample(version: version, kind: $0) } }
    }()

    /// Runs `body` with today's cloud on a copy of the release's state, a minute after the release's process was
    /// killed.
    func open(_ body: (TestCloud, JSON) async throws -> Void) async throws {
        try await withTemporaryDirectory { folder in
            try unpack(to: folder)
            let expected = try JSON.parse(Array(try Data(contentsOf: URL(filePath: folder + "/expected.json"))))
            let directory = StateDirectory(path: folder + "/state")
            let now = Timestamp(seconds: try #require(expected["madeAt"]?.integer) + 60)
            let template = try await kind == .sqlite ? directory.database : PostgresServer.started().createTemplate(from: folder + "/novella.sql")
            try await TestDatabase.withDatabase(kind, copying: template) { test in
                try await TestCloud.open(directory, test.database, now: now) { configuration in
                    configuration.simulate = .init(enabled: true, hosts: 4)
                    configuration.compute.shelvedOffloadTime = -1
                } _: { cloud in
                    try await Machines(cloud: cloud).restore()
                    try await body(cloud, expected)
                }
            }
        }
    }

    private func unpack(to folder: String) throws {
        let tar = Process()
        tar.executableURL = URL(filePath: "/bin/tar")
        tar.arguments = ["-xzf", "\(Self.folder)/\(version)/\(kind == .sqlite ? "sqlite" : "postgresql").tar.gz", "-C", folder]
        try tar.run()
        tar.waitUntilExit()
        try #require(tar.terminationStatus == 0, "the example of \(version) cannot be unpacked")
    }
}

/// The simulated hosts. The release had them only in memory, while a real host keeps its machines when a control plane
/// is killed.
private struct Machines {
    let cloud: TestCloud

    func restore() async throws {
        let needs = cloud.cloud.compute.context.needs
        let intents = try await cloud.database.read { tx in
            let servers = try ServerStore().list(in: tx)
            let ports = try needs.networking.ports(of: servers.map(\.id), in: tx)
            return servers.map { Intent(server: $0, ports: ports[$0.id] ?? []) }
        }
        let fence = Fence(epoch: 0, generation: 0)
        for intent in intents {
            // The machine is still on the host that it leaves, and not yet on the one to which it moves.
            for host in Set([intent.server.host, intent.server.former?.host].compactMap(\.self)) {
                let spec = try await MachineBlueprint(
                    intent: intent, present: try await needs.machines.wanted(intent.server.id, on: host), diskRevision: nil,
                    image: { try await needs.images.machineImage($0) },
                    boot: { _ in .disk },
                    connect: { try await needs.volumes.connect($0.use(in: intent.server.projectID), on: host) },
                    configDrives: .bare
                ).spec()
                try await needs.machines.ensure(spec, on: host, fence: fence)
            }
            guard let host = intent.server.host, intent.server.power != .off || intent.server.state == .suspended else {
                continue
            }
            func make(_ power: WantedPower) async throws {
                try await needs.machines.setPower(power, of: intent.server.id, on: host, fence: fence)
            }
            try? await make(.running)
            if intent.server.state == .paused { try await make(.paused) }
            if intent.server.state == .suspended { try await make(.suspended) }
        }
    }
}

/// A reader of the opened cloud's API.
struct ReleasedReader {
    let cloud: TestCloud
    let token: String

    func get(_ path: String, at location: SourceLocation = #_sourceLocation) async -> JSON {
        let reply = await cloud.send(.get, path, token: token, headers: [.computeVersion: "2.96"])
        #expect(reply.status == .ok, "\(path): \(reply.status) \(reply.text)", sourceLocation: location)
        return reply.json
    }

    func list(_ path: String, _ name: String, at location: SourceLocation = #_sourceLocation) async -> [JSON] {
        await get(path, at: location)[name]?.array ?? []
    }
}

extension HTTPField.Name {
    static let computeVersion = HTTPField.Name("X-OpenStack-Nova-API-Version")!  // tidy: allow !, a constant
}

extension JSON {
    /// Returns whether this value contains all of `other`. Objects may have more members, also those in lists.
    func has(_ other: JSON) -> Bool {
        if let wanted = other.object { return wanted.members.allSatisfy { self[$0.key]?.has($0.value) == true } }
        if let wanted = other.array, let own = array { return wanted.count == own.count && zip(own, wanted).allSatisfy { $0.has($1) } }
        return self == other
    }
}
