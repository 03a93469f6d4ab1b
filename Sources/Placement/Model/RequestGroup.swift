package import CloudCore

/// One group of a request for a place, such as `resources1=VCPU:2&required1=HW_CPU_X86_AVX`.
package struct RequestGroup: Sendable {
    /// The suffix of `resources`. A group with a suffix is served by one provider. The group without a suffix is served
    /// by a whole tree and by the providers that share with it.
    package var suffix: String
    package var resources: [(resourceClass: String, amount: Int64)]
    package var traits: TraitFilter
    package var aggregates: AggregateFilter
    /// Any provider of the tree that must serve the group; nil for any tree.
    package var tree: ID<Kind.Provider>?

    package init(
        suffix: String = "", resources: [(resourceClass: String, amount: Int64)] = [], traits: TraitFilter = .init(),
        aggregates: AggregateFilter = .init(), tree: ID<Kind.Provider>? = nil
    ) {
        self.suffix = suffix
        self.resources = resources
        self.traits = traits
        self.aggregates = aggregates
        self.tree = tree
    }

    var isGranular: Bool { !suffix.isEmpty }
}

/// The traits that providers must have, and those that they must not have.
package struct TraitFilter: Sendable {
    /// The required sets; a provider needs at least one trait of each.
    package var required: [Set<String>]
    package var forbidden: Set<String>

    package init(required: [Set<String>] = [], forbidden: Set<String> = []) {
        self.required = required
        self.forbidden = forbidden
    }
}

/// The aggregates that providers must be in, and those that they must not be in.
package struct AggregateFilter: Sendable {
    /// The required sets; a provider must be in at least one aggregate of each.
    package var required: [Set<String>]
    package var forbidden: Set<String>

    package init(required: [Set<String>] = [], forbidden: Set<String> = []) {
        self.required = required
        self.forbidden = forbidden
    }
}

package struct CandidateRequest: Sendable {
    package var groups: [RequestGroup]
    /// Whether each group with a suffix needs a provider of its own.
    package var isolates: Bool
    package var limit: Int?
    /// The number of the tree at which the search begins; it goes round. Equal numbers give equal results.
    package var start = 0
    /// The traits that the root of a candidate's tree must and must not have.
    package var root: TraitFilter
    /// Sets of suffixes; the providers of the groups of one set must all be below one of them.
    package var sameSubtrees: [Set<String>]
    /// Whether the client knows that several providers can belong to one tree (from microversion 1.29 on).
    var knowsTrees = true

    /// - Parameter limit: the most candidates; nil for all.
    package init(
        groups: [RequestGroup], isolates: Bool = false, limit: Int? = nil, root: TraitFilter = .init(), sameSubtrees: [Set<String>] = []
    ) {
        self.groups = groups
        self.isolates = isolates
        self.limit = limit
        self.root = root
        self.sameSubtrees = sameSubtrees
    }
}

/// A way to place everything in a request. It was free when it was found; `PlacementAssembly.claim` checks whether it
/// still is.
package struct AllocationCandidate: Sendable {
    /// The root of the candidate's tree: the host.
    package let rootID: ID<Kind.Provider>
    /// The resources to claim.
    package let parts: [Claim.Part]
    /// The providers that serve each group.
    package let groups: [(suffix: String, providerIDs: [ID<Kind.Provider>])]

    package func providers(of suffix: String) -> [ID<Kind.Provider>] { groups.first { $0.suffix == suffix }?.providerIDs ?? [] }
}

/// The conditions of a list of providers.
struct ProviderQuery: Sendable {
    var id: ID<Kind.Provider>?
    var name: String?
    var tree: ID<Kind.Provider>?
    var resources: [(resourceClass: String, amount: Int64)] = []
    var traits = TraitFilter()
    var aggregates = AggregateFilter()
}
