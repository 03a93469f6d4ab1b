import CloudCore
import SQL

/// The store of resource classes and traits: the standard ones of the binary together with the custom ones of the
/// tables.
struct NameStore: Sendable {
    /// A name with the time of its last change, which is nil for a standard name.
    struct Entry: Sendable {
        let name: String
        let updatedAt: Timestamp?
    }

    // MARK: Resource classes

    func resourceClasses(in tx: Transaction) throws -> [Entry] {
        StandardResourceClasses.all.map { Entry(name: $0, updatedAt: nil) }
            + (try tx.rows("SELECT name, updated_at FROM placement_resource_class ORDER BY created_at, name").map(Self.entry))
    }

    func resourceClass(_ name: String, in tx: Transaction) throws -> Entry? {
        if StandardResourceClasses.set.contains(name) { return Entry(name: name, updatedAt: nil) }
        return try tx.rows("SELECT name, updated_at FROM placement_resource_class WHERE name = ?", name).first.map(Self.entry)
    }

    /// Checks that a resource class exists.
    ///
    /// - Throws: `Refusal.unknownClass`.
    func requireClass(_ name: String, in tx: Transaction) throws {
        guard try resourceClass(name, in: tx) != nil else { throw Refusal.unknownClass(name) }
    }

    func insertClass(_ name: String, at now: Timestamp, in tx: Transaction) throws {
        tx.touchedNames()
        try tx.execute("INSERT INTO placement_resource_class (name, created_at, updated_at) VALUES (?, ?, ?)", name, now, now)
    }

    func renameClass(_ name: String, to new: String, at now: Timestamp, in tx: Transaction) throws {
        tx.touchedNames()
        try tx.execute("UPDATE placement_resource_class SET name = ?, updated_at = ? WHERE name = ?", new, now, name)
        // Allocations follow by their foreign key.
        let holders = try tx.rows(
            "UPDATE placement_inventory SET resource_class = ? WHERE resource_class = ? RETURNING provider_id", new, name)
        tx.touched(try holders.map { try $0.value(at: 0) })
    }

    func deleteClass(_ name: String, in tx: Transaction) throws {
        tx.touchedNames()
        try tx.execute("DELETE FROM placement_resource_class WHERE name = ?", name)
    }

    func isClassInUse(_ name: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT provider_id FROM placement_inventory WHERE resource_class = ? LIMIT 1", name) != nil
    }

    // MARK: Traits

    func customTraits(in tx: Transaction) throws -> [Entry] {
        try tx.rows("SELECT name, created_at FROM placement_trait ORDER BY created_at, name").map(Self.entry)
    }

    func trait(_ name: String, in tx: Transaction) throws -> Entry? {
        if StandardTraits.set.contains(name) { return Entry(name: name, updatedAt: nil) }
        return try tx.rows("SELECT name, created_at FROM placement_trait WHERE name = ?", name).first.map(Self.entry)
    }

    func insertTrait(_ name: String, at now: Timestamp, in tx: Transaction) throws {
        tx.touchedNames()
        try tx.execute("INSERT INTO placement_trait (name, created_at) VALUES (?, ?)", name, now)
    }

    func deleteTrait(_ name: String, in tx: Transaction) throws {
        tx.touchedNames()
        try tx.execute("DELETE FROM placement_trait WHERE name = ?", name)
    }

    func isTraitInUse(_ name: String, in tx: Transaction) throws -> Bool {
        try tx.row("SELECT provider_id FROM placement_provider_trait WHERE trait = ? LIMIT 1", name) != nil
    }

    /// Returns the traits that some provider has.
    func traitsInUse(in tx: Transaction) throws -> Set<String> {
        Set(try tx.rows("SELECT DISTINCT trait FROM placement_provider_trait").map { try $0.value(at: 0) as String })
    }

    private static func entry(_ row: Row) throws -> Entry { Entry(name: try row.value(at: 0), updatedAt: try row.value(at: 1)) }
}
