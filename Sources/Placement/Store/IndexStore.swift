import CloudCore
import SQL

/// The reader of the rows for the index: all of them, or those of the providers that commits have named.
struct IndexStore: CopyStore {
    let topic = Topic.placement
    private let names = NameStore()

    /// The most providers that are read at once, so that not all rows are in memory together.
    private static let batch = 2000

    func load(in tx: Transaction) throws -> ProviderIndex {
        var builder = ProviderIndex.Builder(custom: try customNames(in: tx))
        var low = ID<Kind.Provider>("")
        while true {
            let providers = try tx.rows(
                "SELECT \(ProviderStore.columns) FROM placement_provider WHERE id > ? ORDER BY id LIMIT \(Self.batch)", low
            ).map(ProviderStore.provider)
            guard let high = providers.last?.id else { break }
            builder.add(try complete(providers, where: "provider_id > ? AND provider_id <= ?", [low.sql, high.sql], in: tx))
            low = high
        }
        return builder.finish()
    }

    func follow(_ index: ProviderIndex, _ keys: Set<String>, in tx: Transaction) throws -> ProviderIndex {
        var keys = keys
        let names = keys.remove(Transaction.namesOfPlacement) == nil ? nil : try customNames(in: tx)
        let touched = Set(keys.map { ID<Kind.Provider>($0) })
        return index.following(touched, found: try sources(of: touched.sorted(), in: tx), names: names)
    }

    private func sources(of ids: [ID<Kind.Provider>], in tx: Transaction) throws -> [ProviderIndex.Source] {
        var found: [ProviderIndex.Source] = []
        for (list, arguments) in tx.pieces(of: ids.map(\.sql)) {
            let providers = try tx.rows("SELECT \(ProviderStore.columns) FROM placement_provider WHERE id \(list)", arguments: arguments)
            found += try complete(try providers.map(ProviderStore.provider), where: "provider_id \(list)", arguments, in: tx)
        }
        return found
    }

    /// Reads what the given providers have. The condition is on `provider_id`.
    private func complete(
        _ providers: [Provider], where condition: String, _ arguments: [SQLValue], in tx: Transaction
    ) throws -> [ProviderIndex.Source] {
        var sources = providers.map { ProviderIndex.Source(provider: $0) }
        let places = Dictionary(uniqueKeysWithValues: sources.enumerated().map { ($1.provider.id, $0) })
        func forEach(_ sql: String, _ body: (Int, Row) throws -> Void) throws {
            // Rows of one provider mostly come one after the other, so its place is looked up once for all of them.
            var last: (id: ID<Kind.Provider>, at: Int?) = (ID(""), nil)
            for row in try tx.rows(sql, arguments: arguments) {
                let id: ID<Kind.Provider> = try row.value(at: 0)
                if id != last.id { last = (id, places[id]) }
                if let at = last.at { try body(at, row) }
            }
        }
        var used = [[String: Int64]](repeating: [:], count: sources.count)
        try forEach(
            """
            SELECT provider_id, resource_class, CAST(SUM(used) AS INTEGER) FROM placement_allocation WHERE \(condition)
            GROUP BY provider_id, resource_class
            """.bigint(tx)
        ) { at, row in used[at][try row.value(at: 1)] = try row.value(at: 2) }
        try forEach(
            """
            SELECT provider_id, \(InventoryStore.columns) FROM placement_inventory WHERE \(condition)
            ORDER BY provider_id, created_at, resource_class
            """
        ) { at, row in
            let inventory = try InventoryStore.inventory(row, from: 1)
            sources[at].inventories.append(.init(inventory: inventory, used: used[at][inventory.resourceClass] ?? 0))
        }
        try forEach("SELECT provider_id, trait FROM placement_provider_trait WHERE \(condition)") { at, row in
            sources[at].traits.append(try row.value(at: 1))
        }
        try forEach("SELECT provider_id, aggregate_id FROM placement_provider_aggregate WHERE \(condition)") { at, row in
            sources[at].aggregates.append(try row.value(at: 1))
        }
        for at in sources.indices {
            sources[at].traits = StandardTraits.ordered(sources[at].traits)
            sources[at].aggregates.sort()
        }
        return sources
    }

    private func customNames(in tx: Transaction) throws -> ProviderIndex.CustomNames {
        ProviderIndex.CustomNames(
            classes: Set(try names.resourceClasses(in: tx).lazy.filter { $0.updatedAt != nil }.map(\.name)),
            traits: Set(try names.customTraits(in: tx).map(\.name)))
    }
}

extension Topic {
    /// The topic that the index in memory follows.
    static let placement = Topic("placement")
}

/// The stores name what they change, so no caller of a store can forget it.
extension Transaction {
    /// The key for changes of names. No provider has an empty id.
    static let namesOfPlacement = ""

    func touched(_ ids: some Sequence<ID<Kind.Provider>>) { changed(.placement, ids.lazy.map(\.text)) }
    func touched(_ id: ID<Kind.Provider>) { touched(CollectionOfOne(id)) }
    func touchedNames() { changed(.placement, [Self.namesOfPlacement]) }
}
