import CloudCore
import SQL

/// Reads everything that the index is made of, in one consistent state.
struct IndexStore: Sendable {
    private let providers = ProviderStore()
    private let names = NameStore()

    func load(in tx: Transaction) throws -> ProviderIndex {
        var sources = try providers.all(in: tx).map { ProviderIndex.Source(provider: $0) }
        let places = Dictionary(uniqueKeysWithValues: sources.enumerated().map { ($1.provider.id, $0) })
        func place(_ row: Row) throws -> Int? { places[try row.value(at: 0)] }
        for row in try tx.rows("SELECT provider_id, trait FROM placement_provider_trait") {
            if let at = try place(row) { sources[at].traits.append(try row.value(at: 1)) }
        }
        for at in sources.indices { sources[at].traits = StandardTraits.ordered(sources[at].traits) }
        for row in try tx.rows("SELECT provider_id, aggregate_id FROM placement_provider_aggregate ORDER BY provider_id, aggregate_id") {
            if let at = try place(row) { sources[at].aggregates.append(try row.value(at: 1)) }
        }
        let inventories = try tx.rows(
            """
            SELECT i.provider_id, COALESCE(u.used, 0), \(InventoryStore.columns.split(separator: ", ").map { "i.\($0)" }.joined(separator: ", "))
            FROM placement_inventory i LEFT JOIN
              (SELECT provider_id, resource_class, CAST(SUM(used) AS INTEGER) AS used FROM placement_allocation
               GROUP BY provider_id, resource_class) u
            ON u.provider_id = i.provider_id AND u.resource_class = i.resource_class
            ORDER BY i.created_at, i.provider_id, i.resource_class
            """.bigint(tx))
        for row in inventories {
            guard let at = try place(row) else { continue }
            sources[at].inventories.append((inventory: try InventoryStore.inventory(row, from: 2), used: try row.value(at: 1)))
        }
        return ProviderIndex(
            sources, customClasses: Set(try names.resourceClasses(in: tx).lazy.filter { $0.updatedAt != nil }.map(\.name)),
            customTraits: Set(try names.customTraits(in: tx).map(\.name)))
    }
}
