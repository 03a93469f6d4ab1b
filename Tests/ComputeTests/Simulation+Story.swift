import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPTypes
import SQL
import TestSupport

/// The checks of a simulation: when everything has settled, the API, the claims, the ports and the machines must agree.
extension Simulation {
    func servers() async throws -> [Server] {
        try await cloud.database.read { tx in try ServerStore().list(in: tx) }
    }

    private func settle() async throws {
        dice.set(false)
        for name in cut { cloud.cloud.fleet.setCut(false, name) }
        cut = []
        client = try await ComputeClient(cloud)
        for name in givenUp.sorted() { try await giveUp(name, false) }
        givenUp = []
        // Asking the hosts shows what guests did by themselves, and removes what is left of evacuated servers. A second
        // look shows the outcome.
        for _ in 0..<2 {
            for _ in 0..<20_000 {
                if try await cloud.cloud.runner.runDue() { continue }
                guard let next = try await cloud.cloud.runner.claims.nextDue() else { break }
                cloud.clock.set(next)
            }
            cloud.clock.advance(by: .seconds(90))
            try await cloud.cloud.look()
        }
        while try await cloud.cloud.runner.runDue() {}
        client = try await ComputeClient(cloud)
    }

    func check(_ when: String) async throws {
        try await settle()
        let servers = try await servers()
        var wrong = try await rows(servers)
        wrong += machines(servers)
        wrong += try await answers(servers)
        wrong += try await cloud.database.read { tx in
            try Cloud.ledgers.flatMap { try $0.differences(in: tx) }.map { "usage: \($0)" }
        }
        guard wrong.isEmpty else { throw Broken(description: "\(when): \(wrong.count) wrong:\n" + wrong.prefix(20).joined(separator: "\n")) }
        count("checked")
        dice.set(true)
    }

    /// Returns what is wrong with rows: no workflow may be open, each claim and port needs a server, and each server
    /// needs its claims.
    private func rows(_ servers: [Server]) async throws -> [String] {
        let hosts = Dictionary(uniqueKeysWithValues: await cloud.cloud.fleet.facts().map { ($0.name, $0.id) })
        typealias Found = (open: [String], claims: [String: [String: Int64]], places: [String: Set<String>], owners: [String: Set<String>])
        let found = try await cloud.database.read { tx -> Found in
            var claims: [String: [String: Int64]] = [:]
            var places: [String: Set<String>] = [:]
            for row in try tx.rows("SELECT consumer_id, provider_id, resource_class, used FROM placement_allocation") {
                let consumer: String = try row.value(at: 0)
                claims[consumer, default: [:]][try row.value(at: 2)] = try row.value(at: 3) as Int64
                places[consumer, default: []].insert(try row.value(at: 1))
            }
            return (
                try tx.rows("SELECT kind, status, direction, step, coalesce(reason, failure), attempt FROM workflow WHERE finished_at IS NULL").map { row in
                    let words: [String] = try (0..<4).map { try row.value(at: $0) as String? ?? "-" }
                    return "\(words.joined(separator: " ")), attempt \(try row.value(at: 5) as Int64): \(try row.value(at: 4) as String? ?? "")"
                }, claims, places,
                try tx.rows("SELECT device_id, host FROM networking_port WHERE device_owner LIKE 'compute:%'").reduce(into: [:]) {
                    $0[try $1.value(at: 0), default: []].insert(try $1.value(at: 1))
                }
            )
        }
        var wrong = found.open
        var claims = found.claims
        for server in servers {
            func expect(_ consumer: String, _ flavor: Flavor, at host: String) {
                let amounts = claims.removeValue(forKey: consumer)
                if amounts?["VCPU"] != Int64(flavor.vcpus) || amounts?["MEMORY_MB"] != Int64(flavor.ramMiB) || found.places[consumer] != [hosts[host] ?? ""] {
                    wrong.append("\(server.id) \(server.state) of flavor \(flavor.id) on \(host) has the claim \(String(describing: amounts))")
                }
            }
            if let host = server.host { expect(server.id.text, server.flavor, at: host) }
            if let former = server.former { expect(Server.formerConsumer(of: server.id).text, former.flavor, at: former.host) }
            if server.otherHost != (server.former.flatMap { $0.host == server.host ? nil : $0.host }) {
                wrong.append("\(server.id) \(server.state) on \(server.host ?? "-") has something on \(server.otherHost ?? "-")")
            }
            if let bound = found.owners[server.id.text], bound != [server.host ?? ""], server.state != .error {
                wrong.append("\(server.id) \(server.state) on \(server.host ?? "-") has ports on \(bound)")
            }
            if (server.shelvedImage != nil) != [.shelved, .shelvedOffloaded].contains(server.state) || (server.rescueImage != nil) != (server.state == .rescued) {
                wrong.append("\(server.id) \(server.state) is shelved in \(server.shelvedImage ?? "-") and starts from \(server.rescueImage?.id ?? "-")")
            }
        }
        wrong += claims.keys.map { "nobody's claim: \($0)" }
        wrong += Set(found.owners.keys).subtracting(servers.map(\.id.text)).map { "a port of no server: \($0)" }
        return wrong
    }

    /// Returns what is wrong with machines: each server with a host has its machine there in the shown state, and no
    /// other machine exists.
    private func machines(_ servers: [Server]) -> [String] {
        var wrong: [String] = []
        var machines = Dictionary(grouping: cloud.cloud.fleet.simulatedMachines, by: \.id)
        for server in servers {
            let found = machines.removeValue(forKey: server.id.text) ?? []
            guard let host = server.host else {
                if !found.isEmpty { wrong.append("\(server.id) has no host and a machine on \(found[0].host)") }
                continue
            }
            let places = Set([host, server.otherHost].compactMap(\.self))
            guard Set(found.map(\.host)) == places, found.count == places.count, let machine = found.first(where: { $0.host == host }) else {
                wrong.append("\(server.id) \(server.state) should be on \(places) and is on \(found.map(\.host))")
                continue
            }
            let powers: [VMState: Set<String>] = [.active: ["running"], .stopped: ["off", "crashed"], .paused: ["paused"], .suspended: ["suspended"],
                .shelved: ["off"]]
            if let allowed = powers[server.state], !allowed.contains(machine.power) {
                wrong.append("\(server.id) is shown \(server.state) and its machine is \(machine.power)")
            }
            if server.state != .error, machine.memoryMiB != server.flavor.ramMiB {
                wrong.append("\(server.id) \(server.state) has \(server.flavor.ramMiB) MiB and its machine \(machine.memoryMiB)")
            }
            if server.state != .error, machine.disks.contains(where: { $0.hasPrefix("rescue") }) != (server.rescueImage != nil) {
                wrong.append("\(server.id) \(server.state) has the disks \(machine.disks)")
            }
        }
        wrong += machines.values.joined().map { "a machine of no server: \($0.id) on \($0.host)" }
        let copies = cloud.cloud.fleet.simulatedCopies
        return wrong + copies.map { "a copy of a disk that nobody wants: \($0.id) on \($0.host)" }
    }

    /// Returns what is wrong with what users see.
    private func answers(_ servers: [Server]) async throws -> [String] {
        var wrong: [String] = []
        for server in servers {
            guard let image = server.shelvedImage else { continue }
            let found = await cloud.send(.get, "/image/v2/images/\(image)", token: client.token)
            if found.json["status"] != "active" { wrong.append("\(server.id) is shelved in an image that is \(found.text)") }
        }
        let shown = try await call(.get, "/servers/detail").json["servers"]?.array ?? []
        if shown.count != servers.count { wrong.append("\(shown.count) servers are listed and \(servers.count) are there") }
        let lasting: Set<String> = ["ACTIVE", "SHUTOFF", "PAUSED", "SUSPENDED", "VERIFY_RESIZE", "ERROR", "RESCUE", "SHELVED", "SHELVED_OFFLOADED"]
        for server in shown {
            let status = server["status"]?.string ?? ""
            if !lasting.contains(status) || server["OS-EXT-STS:task_state"] != .null { wrong.append("\(server["id"]?.text ?? "") rests in \(status)") }
        }
        let limits = try await call(.get, "/limits").json["limits"]?["absolute"]
        if limits?["totalInstancesUsed"] != .integer(Int64(servers.count)) || limits?["totalCoresUsed"] != .integer(Int64(servers.map(\.flavor.vcpus).reduce(0, +))) {
            wrong.append("quotas: \(limits?.text ?? "") for \(servers.count) servers")
        }
        return wrong
    }
}
