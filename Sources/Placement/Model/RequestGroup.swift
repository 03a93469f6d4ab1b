import CloudCore

/// What somebody looks for a place for, in groups: `resources1=VCPU:2&required1=HW_CPU_X86_AVX`.
struct RequestGroup: Sendable {
    /// What comes behind `resources`. A group with a suffix is served by one provider; the one without by a whole tree and by what
    /// is shared with it.
    var suffix: String
    var resources: [(resourceClass: String, amount: Int64)] = []
    var traits = TraitFilter()
    var aggregates = AggregateFilter()
    /// Any provider of the tree that serves it.
    var tree: ID<Provider>?

    var isGranular: Bool { !suffix.isEmpty }
}

/// Which traits providers must and must not have.
struct TraitFilter: Sendable {
    /// Of each of these sets one.
    var required: [Set<String>] = []
    var forbidden: Set<String> = []

    var isEmpty: Bool { required.isEmpty && forbidden.isEmpty }
}

/// Which aggregates providers must and must not be in.
struct AggregateFilter: Sendable {
    /// Of each of these sets one.
    var required: [Set<String>] = []
    var forbidden: Set<String> = []
}

struct CandidateRequest: Sendable {
    var groups: [RequestGroup]
    /// Whether each group with a suffix needs a provider of its own.
    var isolates = false
    var limit: Int?
    /// Of the root of the tree that a candidate stands in.
    var root = TraitFilter()
    /// Suffixes of groups whose providers must stand below one of them.
    var sameSubtrees: [Set<String>] = []
    /// Whether the client knows that several providers can be of one tree (from 1.29 on).
    var knowsTrees = true
}

/// What is asked of a list of providers.
struct ProviderQuery: Sendable {
    var id: ID<Provider>?
    var name: String?
    var tree: ID<Provider>?
    var resources: [(resourceClass: String, amount: Int64)] = []
    var traits = TraitFilter()
    var aggregates = AggregateFilter()
}
