package import CloudCore
package import SQL

extension PlacementAssembly {
    /// Returns the places where a request would fit, as of the last commit.
    ///
    /// - Throws: `CloudError.badRequest` for a class or a trait that does not exist.
    package func candidates(_ request: CandidateRequest) async throws -> [AllocationCandidate] {
        let (found, index) = try await CandidateService(context: context, copy: copy).candidates(request)
        return found.requests.map { AllocationCandidate($0, in: index) }
    }

    /// Returns a search for places of a request, as of the last commit.
    package func search(_ request: CandidateRequest) async throws -> PlacementSearch {
        PlacementSearch(request: request, index: try await copy.latest())
    }

    /// Returns a search for places of a request, as the transaction sees the rows.
    package func search(_ request: CandidateRequest, in tx: Transaction) throws -> PlacementSearch {
        PlacementSearch(request: request, index: try copy.latest(in: tx))
    }
}

/// A search for places of one request in one state of the index. It may be asked about single hosts, or for any hosts.
package struct PlacementSearch: Sendable {
    let request: CandidateRequest
    let index: ProviderIndex

    /// The most ways to place the request at one host.
    private static let mostAtOne = 16  // tidy: allow bound, of candidates

    /// Returns the ways to place the request at one host; none if it does not fit there.
    ///
    /// - Throws: `CloudError.badRequest` for a class or a trait that does not exist.
    package func candidates(at root: ID<Kind.Provider>) throws -> [AllocationCandidate] {
        guard let slot = index.slot(of: root) else { return [] }
        var narrow = request
        narrow.limit = Self.mostAtOne
        return try search(narrow).run(inTree: slot).map { AllocationCandidate($0, in: index) }
    }

    /// Returns the roots of hosts where the request fits, from some number on.
    ///
    /// - Parameters:
    ///   - most: the most hosts.
    ///   - start: the number of the host at which the search begins; it goes round.
    /// - Throws: `CloudError.badRequest` for a class or a trait that does not exist.
    package func roots(most: Int, from start: Int) throws -> [ID<Kind.Provider>] {
        var wide = request
        (wide.limit, wide.start) = (most, start)
        var seen: Set<Int> = []
        return try search(wide).run().requests.compactMap { candidate in
            seen.insert(candidate.tree).inserted ? index.id(ProviderIndex.place(candidate.tree, 0)) : nil
        }
    }

    private func search(_ request: CandidateRequest) throws -> CandidateSearch {
        do { return try CandidateSearch(request, in: index) } catch let refusal as Refusal {
            throw refusal.ofCandidates
        }
    }
}

extension AllocationCandidate {
    init(_ candidate: Candidate, in index: ProviderIndex) {
        var parts: [Claim.Part] = []
        var places: [Int] = []
        for amount in candidate.amounts {
            let at = places.firstIndex(of: amount.place) ?? places.count
            if at == places.count {
                places.append(amount.place)
                parts.append(Claim.Part(providerID: index.id(amount.place), resources: []))
            }
            parts[at].resources.append((index.classes[amount.resourceClass], amount.amount))
        }
        self.init(
            rootID: index.id(ProviderIndex.place(candidate.tree, 0)), parts: parts,
            groups: candidate.mappings.map { (suffix: $0.suffix, providerIDs: $0.places.map(index.id)) })
    }
}
