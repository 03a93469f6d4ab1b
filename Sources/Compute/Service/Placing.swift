import CloudCore
import SQL

/// Finds a host for a server and claims it. The choice and the claim are one transaction.
struct Placing: Sendable {
    let needs: ComputeNeeds
    private let servers = ServerStore()

    init(needs: ComputeNeeds) { self.needs = needs }

    /// The candidates of Placement and the reports of the hosts, which are read before the transaction.
    struct Offer: StoredValue {
        static let storedName = "compute.offer"

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

    func offer(_ flavor: Flavor, volumeBacked: Bool = false) async throws -> Offer {
        // The candidates come first: this call waits for a host that is being opened, whose report is then in the list.
        let candidates = try await needs.placement.candidates(Self.request(flavor))
        return Offer(candidates: candidates, hosts: try await hosts())
    }

    /// Returns the hosts' reports in the form of an offer.
    func hosts() async throws -> [Offer.Host] {
        try await needs.hosts.reports().map { report in
            Offer.Host(
                name: report.name, id: report.id, isUp: report.isUp, hypervisorType: report.hypervisorType,
                architecture: report.processors["arch"]?.string ?? "x86_64", vcpus: report.vcpus, memoryMiB: report.memoryMiB,
                diskGiB: report.diskGiB, movesMachines: report.movesMachines, movesRunningMachines: report.movesRunningMachines)
        }
    }

    /// Checks that the server's host may run another image. A server stays on its host when it is rebuilt.
    ///
    /// - Throws: `conflict`, with the reason in the detail for the operator.
    func requireFit(
        _ server: Server, _ image: Server.ImageReference, _ hosts: [Offer.Host], in tx: Transaction
    ) throws {
        var changed = server
        changed.image = image
        let wish = try wish(for: changed, only: nil, in: tx)
        let here = try states(hosts.filter { $0.name == server.host }, wish, in: tx)
        let refusals = here.compactMap { host in HostFilters.refusal(host, wish, by: HostFilters.ofImage).map { (host.name, $0) } }
        if !refusals.isEmpty { throw Scheduler.noHost(refusals, candidates: here.count) }
    }

    /// Returns the resources that a flavor requests from Placement. The extra specs take precedence over the flavor's
    /// numbers.
    static func request(_ flavor: Flavor) -> ResourceRequest {
        var request = ResourceRequest(
            vcpus: flavor.vcpus, memoryMiB: flavor.ramMiB, diskGiB: flavor.diskGiB + flavor.ephemeralGiB + (flavor.swapMiB + 1023) / 1024,
            others: [:], requiredTraits: [], forbiddenTraits: [])
        for (key, value) in flavor.extraSpecs.sorted(by: { $0.key < $1.key }) {
            if key.hasPrefix("resources:"), let amount = Int(value) {
                switch key.dropFirst("resources:".count) {
                case "VCPU": request.vcpus = amount
                case "MEMORY_MB": request.memoryMiB = amount
                case "DISK_GB": request.diskGiB = amount
                case let name: request.others[String(name)] = amount
                }
            } else if key.hasPrefix("trait:") {
                let name = String(key.dropFirst("trait:".count))
                if value == "required" { request.requiredTraits.append(name) } else { request.forbiddenTraits.append(name) }
            }
        }
        return request
    }

    /// Chooses the best suitable host and claims it.
    ///
    /// - Parameters:
    ///   - only: the only host that will do; nil for a free choice.
    ///   - move: the move of a server that is on a host already; nil for another server.
    /// - Throws: a `CloudError` with the reason of every host if no host can be claimed.
    func claim(
        _ server: Server, _ offer: Offer, only: String? = nil, move: PlacementWish.Move? = nil, in tx: Transaction
    ) throws -> HostState {
        var wish = try wish(for: server, only: only, in: tx)
        wish.move = move
        if let move { wish.isSourceAble = offer.hosts.contains { $0.name == move.source && move.suits($0.movesMachines, $0.movesRunningMachines) } }
        let candidates = Dictionary(grouping: offer.candidates, by: \.hostID)
        var refusals: [(host: String, reason: String)] = []
        let states = try states(offer.hosts.filter { candidates[$0.id] != nil }, wish, in: tx)
        let choice = Scheduler.choose(states, wish)
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
        for host in offer.hosts where candidates[host.id] == nil {
            let reasons = try needs.placement.refusals(Self.request(server.flavor), at: host.id, in: tx)
            refusals.append((host.name, "placement: \(reasons.isEmpty ? "it was no candidate" : reasons.joined(separator: ", "))"))
        }
        throw Scheduler.noHost(refusals.sorted { $0.host < $1.host }, candidates: offer.candidates.count)
    }

    private func wish(for server: Server, only: String?, in tx: Transaction) throws -> PlacementWish {
        var wish = PlacementWish(
            serverID: server.id.text, extraSpecs: server.flavor.extraSpecs, imageProperties: server.image?.properties ?? [:],
            zone: server.pinnedZone, host: only, unswept: try unswept(server, in: tx), sameHost: server.hints.sameHost, differentHost: server.hints.differentHost)
        if let id = server.groupID, let group = try ServerGroupStore().find(id, in: tx) {
            wish.group = group
            let others = group.members.filter { $0 != server.id }.map(\.text)
            wish.groupHasHosts = try servers.find(others, in: tx).contains { $0.host != nil }
        }
        return wish
    }

    /// Returns the hosts from which the server was evacuated and which may still have its machine. A server whose
    /// machine was never wanted (generation 0) has none.
    private func unswept(_ server: Server, in tx: Transaction) throws -> Set<String> {
        guard server.generation > 0 else { return [] }
        let filter = MigrationStore.Filter(serverID: server.id.text, status: "done", kind: ServerMigration.Kind.evacuation.rawValue)
        return Set(try MigrationStore().list(filter, in: tx).compactMap(\.source))
    }

    private func states(_ hosts: [Offer.Host], _ wish: PlacementWish, in tx: Transaction) throws -> [HostState] {
        let entries = Dictionary(try HostStore().list(in: tx).map { ($0.name, $0) }) { first, _ in first }
        let usages = try HostStore().usages(in: tx)
        let aggregates = try AggregateStore().list(in: tx)
        let places = Dictionary(
            grouping: try HostStore().places(wish.isAboutOthers ? nil : [.building, .error], in: tx).filter { $0.serverID != wish.serverID },
            by: \.host)
        return hosts.map { host in
            let mine = aggregates.filter { $0.hosts.contains(host.name) }
            let there = places[host.name] ?? []
            let entry = entries[host.name]
            var metadata: [String: Set<String>] = [:]
            for aggregate in mine { for (key, value) in aggregate.metadata { metadata[key, default: []].insert(value) } }
            return HostState(
                name: host.name, id: host.id, zone: mine.first { $0.zone != nil }?.zone ?? Aggregate.usualZone,
                isUp: host.isUp && entry?.isForcedDown != true, isDisabled: entry?.isDisabled ?? false,
                disabledReason: entry?.disabledReason, hypervisorType: host.hypervisorType, architecture: host.architecture,
                vcpus: host.vcpus, memoryMiB: host.memoryMiB, diskGiB: host.diskGiB,
                isAble: wish.move?.suits(host.movesMachines, host.movesRunningMachines) ?? true, usage: usages[host.name] ?? .init(),
                aggregateMetadata: metadata, serverIDs: wish.isAboutOthers ? Set(there.map(\.serverID)) : [],
                groupMembers: there.count { $0.groupID != nil && $0.groupID == wish.group?.id.text },
                busyServers: there.count { $0.state == .building }, failedBuilds: there.count { $0.state == .error })
        }
    }
}
