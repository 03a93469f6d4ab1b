package import CloudCore

/// A provider as its host reports it. A host reports its whole tree at once.
package struct ProviderReport: Sendable {
    package var id: ID<Kind.Provider>
    package var name: String
    /// The parent, which is in the same report; nil for the root.
    package var parentID: ID<Kind.Provider>?
    /// The inventories of the provider. An inventory with a total of 0 counts as absent.
    package var inventories: [Inventory]
    /// The traits of the provider. Custom traits that the provider has and the report lacks stay, because operators set
    /// them.
    package var traits: Set<String>
    /// The aggregates; nil to leave them as they are.
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

/// The result of a report.
package struct ReportOutcome: Sendable {
    /// An inventory that the report no longer has and that is still in use: it stays, and nothing more of it is
    /// allocated.
    package struct Leftover: Sendable, Equatable {
        package let providerID: ID<Kind.Provider>
        package let resourceClass: String
    }

    /// Whether the report changed anything.
    package internal(set) var changed = false
    package internal(set) var leftovers: [Leftover] = []
}
