import CloudCore
import ControlPlane
import Placement
import SQL
import TestSupport
import Testing

@testable import Compute

/// The offer of a few hosts, and the claim that trusts none of it.
@Suite("Offers and claims of hosts")
struct PlacingTests {
    private static let terms = Placing.Terms(flavor: ServerStage.flavor())

    private static func run(hosts: Int, _ body: (TestCloud, Placing, Server) async throws -> Void) async throws {
        try await TestCloud.run({
            $0.simulate.enabled = true; $0.simulate.hosts = hosts
        }) { cloud in
            let server = ServerStage.server(cloud.world)
            try await cloud.database.write { tx in try ServerStore().insert(server, in: tx) }
            try await body(cloud, cloud.cloud.compute.context.placing, server)
        }
    }

    /// Lets another consumer hold the memory of some hosts.
    private static func fill(_ hosts: some Sequence<Placing.Offer.Host>, _ cloud: TestCloud) async throws {
        let placement = cloud.cloud.placement
        for host in hosts {
            try await cloud.database.write { tx in
                _ = try placement.claim(
                    Claim(
                        consumerID: ID("other-\(host.name)"), projectID: "p", userID: "u", type: "INSTANCE",
                        expects: .anything,
                        parts: [.init(providerID: host.id, resources: [("MEMORY_MB", 65_536)])]), in: tx)
            }
        }
    }

    @Test("An offer has five hosts, in a cloud of any size", arguments: [5, 40])
    func few(hosts: Int) async throws {
        try await Self.run(hosts: hosts) { cloud, placing, server in
            let offer = try await placing.offer(server.id, Self.terms)
            #expect(offer.hosts.map(\.name) == offer.hosts.map(\.name).sorted())
            #expect(offer.hosts.count == 5)
            #expect(offer.candidates.map(\.hostID) == offer.hosts.map(\.id))
            let host = try await cloud.database.write { tx in try placing.claim(server, offer, Self.terms, in: tx) }
            #expect(host.name == offer.hosts[0].name)
        }
    }

    @Test("A claim passes over hosts of the offer that have become full or disabled")
    func refused() async throws {
        try await Self.run(hosts: 8) { cloud, placing, server in
            let offer = try await placing.offer(server.id, Self.terms)
            try await Self.fill(offer.hosts.prefix(3), cloud)
            let disabled = HostStore.Entry(name: offer.hosts[3].name, number: 4, serviceID: "x", isDisabled: true)
            try await cloud.database.write { tx in try HostStore().insert(disabled, in: tx) }
            let host = try await cloud.database.write { tx in try placing.claim(server, offer, Self.terms, in: tx) }
            #expect(host.name == offer.hosts[4].name)
        }
    }

    @Test("If all hosts of the offer refuse, the claim looks for others, as its transaction sees them")
    func again() async throws {
        try await Self.run(hosts: 8) { cloud, placing, server in
            let offer = try await placing.offer(server.id, Self.terms)
            try await Self.fill(offer.hosts, cloud)
            let others = Set((1...8).map { "host-\($0)" }).subtracting(offer.hosts.map(\.name))
            let host = try await cloud.database.write { tx in try placing.claim(server, offer, Self.terms, in: tx) }
            #expect(others.contains(host.name))
        }
    }

    @Test("If every host refuses, the error has the reasons")
    func none() async throws {
        try await Self.run(hosts: 2) { cloud, placing, server in
            let offer = try await placing.offer(server.id, Self.terms)
            try await Self.fill(offer.hosts, cloud)
            let refused = await #expect(throws: CloudError.self) {
                try await cloud.database.write { tx in try placing.claim(server, offer, Self.terms, in: tx) }
            }
            #expect(refused?.message == "No valid host was found. There are not enough hosts available.")
            #expect(refused?.detail?.hasPrefix("host-1: claim: ") == true, "\(refused?.detail ?? "")")
            let none = await #expect(throws: CloudError.self) { try await placing.offer(server.id, Self.terms) }
            #expect(none?.detail?.hasPrefix("host-1: placement: ") == true, "\(none?.detail ?? "")")
            #expect(none?.detail?.contains("host-2: placement: ") == true)
        }
    }

    @Test("An offer of release 0.1, with all hosts in no order, is claimed")
    func older() async throws {
        try await Self.run(hosts: 12) { cloud, placing, server in
            let reports = try await placing.needs.hosts.reports()
            var offer = Placing.Offer()
            offer.hosts = reports.reversed().map(Placing.Offer.Host.init)
            offer.candidates = reports.dropLast().map {
                PlacementCandidate(hostID: $0.id, parts: [$0.id: ["VCPU": 1, "MEMORY_MB": 512, "DISK_GB": 1]])
            }
            let host = try await cloud.database.write { [offer] tx in
                try placing.claim(server, offer, Self.terms, in: tx)
            }
            #expect(host.name == "host-1")
        }
    }
}
