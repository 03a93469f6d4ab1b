package import CloudCore

/// A provider as its host reports it. A host reports its whole tree at once.
package struct ProviderReport: Sendable {
    package var id: ID<Kind.Provider>
    package var name: String
    /// Nil for the root; otherwise one of the same report.
    package var parentID: ID<Kind.Provider>?
    /// What it has. One with a total of 0 is as good as none.
    package var inventories: [Inventory]
    /// What it can do. Custom traits that are on the provider and not in here stay, for they are an operator's.
    package var traits: Set<String>
    /// Nil to leave them as they are.
    package var aggregates: Set<String>?

    package init(
        id: ID<Kind.Provider>, name: String, parentID: ID<Kind.Provider>? = nil, inventories: [Inventory] = [], traits: Set<String> = [],
        aggregates: Set<String>? = nil
    ) {
        self.id = id
        self.name = name
        self.parentID = parentID
        self.inventories = inventories
        self.traits = traits
        self.aggregates = aggregates
    }
}

/// What came of a report.
package struct ReportOutcome: Sendable {
    /// What is no longer there and still used by somebody: it stays, and nothing more is given of it.
    package struct Leftover: Sendable, Equatable {
        package let providerID: ID<Kind.Provider>
        package let resourceClass: String
    }

    /// Whether the report said anything new.
    package internal(set) var changed = false
    package internal(set) var leftovers: [Leftover] = []
}
