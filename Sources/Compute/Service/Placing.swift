import CloudCore
import SQL

/// Finds a host for a server and claims it. The choice of a few hosts is made from the index; the claim trusts none of
/// it and reads the rows of these hosts again.
struct Placing: Sendable {
    let needs: ComputeNeeds
    let database: Database
    let keeper: HostKeeper

    /// The few best hosts with their candidates, best first. A move has its source host besides, without a candidate.
    ///
    /// Release 0.1 noted all hosts and all candidates, in no order.
    struct Offer: StoredValue {
        static let storedName = "compute.offer"

        /// The facts about a host that the scheduler knows from the report of its agent.
        struct Host: Sendable, Codable {
            var name: String
            var id: ID<Kind.Provider>
            var isUp: Bool
            var hypervisorType: String
            var architecture: String
            var vcpus: Int
            var memoryMiB: Int
            var diskGiB: Int
            var movesMachines: Bool
            var movesRunningMachines: Bool
        }

        var candidates: [PlacementCandidate] = []
        var hosts: [Host] = []
    }

    /// The terms of a choice beside the server itself.
    struct Terms: Sendable {
        /// The flavor that the server is to have.
        var flavor: Flavor
        /// The only host that will do; nil for a free choice.
        var only: String?
        /// Returns the move of a server that is on a host already; nil for another server.
        var move: (@Sendable (_ source: String) -> PlacementWish.Move)?
    }

    /// The number of hosts that an offer has. A claim tries them one after the other; the reference tries three
    /// (`[scheduler] max_attempts`).
    static let mostOffered = 5  // tidy: allow bound, of hosts
    /// The number of times that a claim looks for other hosts after all of an offer have refused.
    private static let mostLooks = 3  // tidy: allow bound, of looks

    // MARK: The offer

    /// Returns the best hosts for a server.
    ///
    /// - Throws: a `CloudError` with the reasons of hosts if there are none.
    func offer(_ id: ID<Kind.Server>, _ terms: Terms) async throws -> Offer {
        let server = try await database.read { tx in
            guard var server = try ServerStore().find(id, in: tx) else { throw CloudError.notFound("Instance \(id) could not be found.") }
            server.flavor = terms.flavor
            return server
        }
        // This call waits for a host that is being opened, whose report is then in the index.
        let room = try await needs.placement.search(Self.request(for: server))
        let index = try await keeper.latest()
        let wish = try await database.read { tx in
            try self.wish(for: server, terms, in: tx) { index.host($0)?.facts }
        }
        let offer = try search(index, wish, room)
        if !offer.candidates.isEmpty { return offer }
        throw try await database.read(.long) { tx in try self.noHost(for: server, wish, index, room, in: tx) }
    }

    private func search(_ index: HostIndex, _ wish: PlacementWish, _ room: any RoomSearch, without: Set<String> = []) throws -> Offer {
        var search = HostSearch(index: index, wish: wish, room: room, isUp: needs.hosts.isUp)
        search.without = without
        let found = try search.run().prefix(Self.mostOffered)
        keeper.noteVisits(search.visited.count)
        var offer = Offer(candidates: found.flatMap(\.candidates), hosts: found.compactMap { fact(of: $0.state.name, index) })
        if let source = wish.move?.source, !offer.hosts.contains(where: { $0.name == source }) {
            offer.hosts += [fact(of: source, index)].compactMap(\.self)
        }
        return offer
    }

    private func fact(of name: String, _ index: HostIndex) -> Offer.Host? {
        guard var facts = index.host(name)?.facts else { return nil }
        facts.isUp = needs.hosts.isUp(name)
        return facts
    }

    // MARK: The claim

    /// Claims the best host of an offer. If all of them refuse, it looks for others, as this transaction sees them.
    ///
    /// - Throws: a `CloudError` with the reasons of the hosts if none can be claimed.
    func claim(_ server: Server, _ offer: Offer, _ terms: Terms, in tx: Transaction) throws -> HostState {
        var server = server
        server.flavor = terms.flavor
        let wish = try wish(for: server, terms, in: tx) { name in offer.hosts.first { $0.name == name } }
        var refusals: [(host: String, reason: String)] = []
        if let host = try claim(server, offer, wish, &refusals, in: tx) { return host }
        let room = try needs.placement.search(Self.request(for: server), in: tx)
        let index = try keeper.latest(in: tx)
        for _ in 0..<Self.mostLooks {
            let next = try search(index, wish, room, without: Set(refusals.map(\.host)))
            if next.candidates.isEmpty { break }
            if let host = try claim(server, next, wish, &refusals, in: tx) { return host }
        }
        if refusals.isEmpty { throw try noHost(for: server, wish, index, room, in: tx) }
        throw Scheduler.noHost(refusals.sorted { $0.host < $1.host }, candidates: offer.candidates.count)
    }

    private func claim(
        _ server: Server, _ offer: Offer, _ wish: PlacementWish, _ refusals: inout [(host: String, reason: String)], in tx: Transaction
    ) throws -> HostState? {
        let candidates = Dictionary(grouping: offer.candidates, by: \.hostID)
        let choice = Scheduler.choose(try states(offer.hosts.filter { candidates[$0.id] != nil }, wish, in: tx), wish)
        refusals += choice.refusals
        for host in choice.hosts {
            var reason = "no candidate"
            for candidate in candidates[host.id] ?? [] {
                let refusal = try needs.placement.claim(
                    candidate, consumer: Server.consumer(of: server.id), projectID: ID(server.projectID), userID: ID(server.userID), in: tx)
                guard let refusal else { return host }
                reason = refusal
            }
            refusals.append((host.name, "claim: \(reason)"))
        }
        return nil
    }

    /// Returns some hosts as their rows are in this transaction.
    private func states(_ hosts: [Offer.Host], _ wish: PlacementWish, in tx: Transaction) throws -> [HostState] {
        let index = try HostIndexStore(hosts: needs.hosts).index(of: hosts, in: tx)
        return hosts.compactMap { index.state(of: $0.name, for: wish, isUp: $0.isUp) }
    }

    /// Checks that the server's host may run another image. A server stays on its host when it is rebuilt.
    ///
    /// - Parameter report: the report of the server's host.
    /// - Throws: `conflict`, with the reason in the detail for the operator.
    func requireFit(_ server: Server, _ image: Server.ImageReference, _ report: HostReport?, in tx: Transaction) throws {
        var changed = server
        changed.image = image
        let wish = try wish(for: changed, Terms(flavor: server.flavor), in: tx) { _ in nil }
        let here = try states([report].compactMap { $0?.name == server.host ? $0.map(Offer.Host.init) : nil }, wish, in: tx)
        let refusals = here.compactMap { host in HostFilters.refusal(host, wish, by: HostFilters.ofImage).map { (host.name, $0) } }
        if !refusals.isEmpty { throw Scheduler.noHost(refusals, candidates: here.count) }
    }
}

extension Placing.Offer.Host {
    init(_ report: HostReport) {
        self.init(
            name: report.name, id: report.id, isUp: report.isUp, hypervisorType: report.hypervisorType,
            architecture: report.processors["arch"]?.string ?? "x86_64", vcpus: report.vcpus, memoryMiB: report.memoryMiB,
            diskGiB: report.diskGiB, movesMachines: report.movesMachines, movesRunningMachines: report.movesRunningMachines)
    }
}
