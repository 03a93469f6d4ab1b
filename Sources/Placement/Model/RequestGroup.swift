package import CloudCore

/// What somebody looks for a place for, in groups: `resources1=VCPU:2&required1=HW_CPU_X86_AVX`.
package struct RequestGroup: Sendable {
    /// What comes behind `resources`. A group with a suffix is served by one provider; the one without by a whole tree and by what
    /// is shared with it.
    package var suffix: String
    package var resources: [(resourceClass: String, amount: Int64)]
    package var traits: TraitFilter
    package var aggregates: AggregateFilter
    /// Any provider of the tree that serves it.
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

/// Which traits providers must and must not have.
package struct TraitFilter: Sendable {
    /// Of each of these sets one.
    package var required: [Set<String>]
    package var forbidden: Set<String>

    package init(required: [Set<String>] = [], forbidden: Set<String> = []) {
        self.required = required
        self.forbidden = forbidden
    }
}

/// Which aggregates providers must and must not be in.
package struct AggregateFilter: Sendable {
    /// Of each of these sets one.
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
    /// Of the root of the tree that a candidate stands in.
    package var root: TraitFilter
    /// Suffixes of groups whose providers must stand below one of them.
    package var sameSubtrees: [Set<String>]
    /// Whether the client knows that several providers can be of one tree (from 1.29 on).
    var knowsTrees = true

    /// - Parameter limit: candidates at most; nil for all that there are.
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

/// A way to place everything that was asked for. It was free when it was found; `PlacementAssembly.claim` finds out whether it is.
package struct AllocationCandidate: Sendable {
    /// The root of the tree that it stands in: the host.
    package let rootID: ID<Kind.Provider>
    /// What to claim.
    package let parts: [Claim.Part]
    /// Which providers serve which group.
    package let groups: [(suffix: String, providerIDs: [ID<Kind.Provider>])]

    package func providers(of suffix: String) -> [ID<Kind.Provider>] { groups.first { $0.suffix == suffix }?.providerIDs ?? [] }
}

/// What is asked of a list of providers.
struct ProviderQuery: Sendable {
    var id: ID<Kind.Provider>?
    var name: String?
    var tree: ID<Kind.Provider>?
    var resources: [(resourceClass: String, amount: Int64)] = []
    var traits = TraitFilter()
    var aggregates = AggregateFilter()
}
