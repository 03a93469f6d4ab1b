import CloudCore
import Foundation

/// The requests that are measured, and the durations of each kind.
final class CloudWork {
    /// The durations of one kind of request, with a word about what it found.
    struct Figure {
        let name: String
        var durations: [Duration] = []
        var found = ""
    }

    private let fixtures: CloudFixtures
    private let all: CloudUser
    private let some: CloudUser
    private let rounds: Int
    private(set) var figures: [Figure] = []

    init(_ cloud: CloudUnderTest, _ fixtures: CloudFixtures, rounds: Int) throws {
        self.fixtures = fixtures
        self.rounds = rounds
        all = try cloud.administrator(of: fixtures.all.name)
        some = try cloud.administrator(of: fixtures.some.name)
    }

    /// Measures everything.
    func run() throws {
        for _ in 0..<rounds { try life() }
        for _ in 0..<rounds { try port() }
        for _ in 0..<rounds { try rule() }
        try floatingIPs()
        for list in try CloudList.all(of: fixtures, all, rounds: rounds) {
            let user = list.isOfFew ? some : all
            for _ in 0..<rounds { try time(list.name) { try user.call("GET", list.path) } }
            note(list.name, "\(try user.call("GET", list.path).json["servers"]?.array?.count ?? 0)")
        }
    }

    private func note(_ name: String, _ found: String) {
        if let at = figures.firstIndex(where: { $0.name == name }) { figures[at].found = found }
    }

    private func add(_ name: String, _ duration: Duration) {
        guard let at = figures.firstIndex(where: { $0.name == name }) else {
            return figures.append(Figure(name: name, durations: [duration]))
        }
        figures[at].durations.append(duration)
    }

    @discardableResult
    private func time<Value>(_ name: String, _ body: () throws -> Value) rethrows -> Value {
        let begin = ContinuousClock.now
        let value = try body()
        add(name, ContinuousClock.now - begin)
        return value
    }

    // MARK: Servers

    private static let servers = "/compute/v2.1/servers"

    private var network: CloudFixtures.Network { fixtures.all.networks[0] }

    private var server: JSON {
        [
            "server": [
                "name": "bench-more", "flavorRef": .string(fixtures.flavor), "imageRef": .string(fixtures.image),
                "networks": [["uuid": .string(network.id)]], "security_groups": [["name": .string(network.group)]],
            ]
        ]
    }

    /// Makes a server and leaves it. Returns its id.
    func leave() throws -> String { try all.call("POST", Self.servers, server).json["server"]?.id ?? "" }

    /// Returns whether a server is there.
    func isThere(_ id: String) throws -> Bool { try all.send("GET", "\(Self.servers)/\(id)").status == 200 }

    private func life() throws {
        let begin = ContinuousClock.now
        let id = try time("POST /servers") { try leave() }
        try Self.awaitActive(id, all)
        add("POST to ACTIVE, asked every 2 ms", ContinuousClock.now - begin)
        try time("show a server") { try all.call("GET", "\(Self.servers)/\(id)") }
        let end = ContinuousClock.now
        try time("DELETE a server") { try all.call("DELETE", "\(Self.servers)/\(id)") }
        while try isThere(id) { Self.pause() }
        add("DELETE to gone", ContinuousClock.now - end)
    }

    static func awaitActive(_ id: String, _ user: CloudUser) throws {
        while true {
            switch try user.call("GET", "\(servers)/\(id)").json["server"]?["status"]?.string {
            case "ACTIVE": return
            case "ERROR": throw BenchError("server \(id) is in error")
            default: pause()
            }
        }
    }

    private static func pause() { usleep(2000) }  // tidy: allow sleep, between two questions

    // MARK: Networks

    private func port() throws {
        let port: JSON = ["port": ["network_id": .string(network.id)]]
        let made = try time("create a port") { try all.call("POST", "/network/v2.0/ports", port) }
        try all.call("DELETE", "/network/v2.0/ports/\(made.json["port"]?.id ?? "")")
    }

    private func rule() throws {
        let rule: JSON = [
            "security_group_rule": [
                "security_group_id": .string(network.group), "direction": "ingress", "protocol": "tcp",
                "port_range_min": 22, "port_range_max": 22,
            ]
        ]
        let made = try time("create a rule") { try all.call("POST", "/network/v2.0/security-group-rules", rule) }
        try all.call("DELETE", "/network/v2.0/security-group-rules/\(made.json["security_group_rule"]?.id ?? "")")
    }

    private func floatingIPs() throws {
        let path = "/network/v2.0/floatingips"
        let own = try all.call("GET", "/network/v2.0/ports?device_id=\(fixtures.all.server)").json["ports"]?.array?
            .first?.id
        let id = try all.make(path, "floatingip", ["floating_network_id": .string(fixtures.external)]).id
        for _ in 0..<rounds {
            try time("associate a floating IP") {
                try all.call("PUT", "\(path)/\(id)", ["floatingip": ["port_id": .string(own ?? "")]])
            }
            try all.call("PUT", "\(path)/\(id)", ["floatingip": ["port_id": .null]])
        }
        try all.call("DELETE", "\(path)/\(id)")
    }
}
