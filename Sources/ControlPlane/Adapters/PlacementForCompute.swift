import CloudCore
import Compute
import Placement
import SQL

/// The part of Placement that Compute needs.
struct PlacementForCompute: PlacementNeed {
    let placement: PlacementAssembly
    let fleet: Fleet

    func search(_ request: ResourceRequest) async throws -> any RoomSearch {
        // It is worth waiting for a host that is just being opened: without it there may be no room.
        await fleet.settled()
        return PlacementRoom(search: try await placement.search(Self.wanted(request)))
    }

    func search(_ request: ResourceRequest, in tx: Transaction) throws -> any RoomSearch {
        PlacementRoom(search: try placement.search(Self.wanted(request), in: tx))
    }

    private static func wanted(_ request: ResourceRequest) -> CandidateRequest {
        let traits = TraitFilter(required: request.requiredTraits.map { [$0] }, forbidden: Set(request.forbiddenTraits))
        return CandidateRequest(groups: [RequestGroup(resources: amounts(request), traits: traits)])
    }

    private static func amounts(_ request: ResourceRequest) -> [(resourceClass: String, amount: Int64)] {
        [
            ("VCPU", Int64(request.vcpus)), ("MEMORY_MB", Int64(request.memoryMiB)), ("DISK_GB", Int64(request.diskGiB)),
        ].filter { $0.1 > 0 } + request.others.sorted { $0.key < $1.key }.map { ($0.key, Int64($0.value)) }
    }

    func refusals(_ request: ResourceRequest, at host: ID<Kind.Provider>, in tx: Transaction) throws -> [String] {
        try placement.refusals(
            Self.amounts(request), required: request.requiredTraits, forbidden: request.forbiddenTraits, at: host, in: tx)
    }

    func claim(
        _ candidate: PlacementCandidate, consumer: ID<Kind.Consumer>, projectID: ID<Kind.Project>, userID: ID<Kind.User>,
        in tx: Transaction
    ) throws -> String? {
        let parts = candidate.parts.sorted { $0.key < $1.key }.map { id, amounts in
            Claim.Part(providerID: id, resources: amounts.sorted { $0.key < $1.key }.map { (resourceClass: $0.key, amount: $0.value) })
        }
        do {
            try placement.claim(
                Claim(
                    consumerID: consumer, projectID: projectID.text, userID: userID.text, type: "INSTANCE", expects: .anything,
                    parts: parts),
                in: tx)
            return nil
        } catch let refusal as ClaimRefusal {
            return refusal.description
        }
    }

    func release(_ consumer: ID<Kind.Consumer>, in tx: Transaction) throws { try placement.release(consumer, in: tx) }

    func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, type: String, in tx: Transaction) throws {
        guard try placement.allocations(of: old, in: tx) != nil else { return }
        try placement.move(from: old, to: new, type: type, in: tx)
    }

    /// Creates or updates the resource provider of each host from its report.
    func ensure(_ reports: [HostReport], in tx: Transaction) throws {
        for report in reports {
            func inventory(_ name: String, _ total: Int, ratio: Double) -> Inventory {
                Inventory(resourceClass: name, total: Int64(total), maxUnit: Int64(max(total, 1)), allocationRatio: ratio)
            }
            try placement.ensure(
                [
                    ProviderReport(
                        id: report.id, name: report.name,
                        inventories: [
                            inventory("VCPU", report.vcpus, ratio: 4), inventory("MEMORY_MB", report.memoryMiB, ratio: 1),
                            inventory("DISK_GB", report.diskGiB, ratio: 1),
                        ])
                ], in: tx)
        }
    }
}

/// A search of Placement's index for one request of Compute.
struct PlacementRoom: RoomSearch {
    let search: PlacementSearch

    func candidates(at host: ID<Kind.Provider>) throws -> [PlacementCandidate] {
        try search.candidates(at: host).map { candidate in
            PlacementCandidate(
                hostID: candidate.rootID,
                parts: Dictionary(
                    candidate.parts.map { part in
                        (part.providerID, Dictionary(part.resources.map { ($0.resourceClass, $0.amount) }) { $0 + $1 })
                    }) { first, _ in first })
        }
    }

    func hosts(most: Int, from start: Int) throws -> [ID<Kind.Provider>] { try search.roots(most: most, from: start) }
}
