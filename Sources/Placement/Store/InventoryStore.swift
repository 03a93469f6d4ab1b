import CloudCore
import SQL

/// The rows of inventories.
struct InventoryStore: Sendable {
    static let columns = "resource_class, total, reserved, min_unit, max_unit, step_size, allocation_ratio, updated_at"
    private let names = NameStore()

    func all(of id: ID<Kind.Provider>, in tx: Transaction) throws -> [Inventory] {
        try tx.rows(
            "SELECT \(Self.columns) FROM placement_inventory WHERE provider_id = ? ORDER BY created_at, resource_class", id
        ).map { try Self.inventory($0) }
    }

    func find(_ resourceClass: String, of id: ID<Kind.Provider>, in tx: Transaction) throws -> Inventory? {
        try tx.rows(
            "SELECT \(Self.columns) FROM placement_inventory WHERE provider_id = ? AND resource_class = ?", id, resourceClass
        ).first.map { try Self.inventory($0) }
    }

    func insert(_ inventory: Inventory, of id: ID<Kind.Provider>, in tx: Transaction) throws {
        tx.touched(id)
        try tx.execute(
            """
            INSERT INTO placement_inventory (provider_id, \(Self.columns), created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """, id, inventory.resourceClass, inventory.total, inventory.reserved, inventory.minUnit, inventory.maxUnit,
            inventory.stepSize, inventory.allocationRatio, inventory.updatedAt, inventory.updatedAt)
    }

    /// Updates an inventory.
    ///
    /// - Throws: `Refusal.noInventory`.
    func update(_ inventory: Inventory, of id: ID<Kind.Provider>, in tx: Transaction) throws {
        tx.touched(id)
        let count = try tx.execute(
            """
            UPDATE placement_inventory SET total = ?, reserved = ?, min_unit = ?, max_unit = ?, step_size = ?, allocation_ratio = ?,
              updated_at = ? WHERE provider_id = ? AND resource_class = ?
            """, inventory.total, inventory.reserved, inventory.minUnit, inventory.maxUnit, inventory.stepSize,
            inventory.allocationRatio, inventory.updatedAt, id, inventory.resourceClass)
        if count == 0 { throw Refusal.noInventory(resourceClass: inventory.resourceClass) }
    }

    /// Deletes inventories. Returns their number.
    ///
    /// - Throws: `Refusal.inUse` if one of them has allocations.
    @discardableResult
    func delete(_ classes: [String], of id: ID<Kind.Provider>, in tx: Transaction) throws -> Int {
        guard !classes.isEmpty else { return 0 }
        tx.touched(id)
        let marks = classes.map { _ in "?" }.joined(separator: ", ")
        let arguments = [id.sql] + classes.map(\.sql)
        let used = Set(
            try tx.rows(
                "SELECT DISTINCT resource_class FROM placement_allocation WHERE provider_id = ? AND resource_class IN (\(marks))",
                arguments: arguments
            ).map { try $0.value(at: 0) as String })
        if !used.isEmpty { throw Refusal.inUse(Self.ordered(used), of: id) }
        return try tx.execute(
            "DELETE FROM placement_inventory WHERE provider_id = ? AND resource_class IN (\(marks))", arguments: arguments)
    }

    /// Makes the provider have these inventories and no others.
    ///
    /// - Throws: `Refusal.unknownClass`, `.inUse`.
    func replace(with wanted: [Inventory], of id: ID<Kind.Provider>, in tx: Transaction) throws {
        for inventory in wanted { try names.requireClass(inventory.resourceClass, in: tx) }
        let present = try all(of: id, in: tx).map(\.resourceClass)
        let names = Set(wanted.map(\.resourceClass))
        try delete(present.filter { !names.contains($0) }, of: id, in: tx)
        for inventory in wanted {
            if present.contains(inventory.resourceClass) {
                try update(inventory, of: id, in: tx)
            } else {
                try insert(inventory, of: id, in: tx)
            }
        }
    }

    /// Returns standard classes in their own order, then custom ones.
    private static func ordered(_ names: Set<String>) -> [String] {
        StandardResourceClasses.all.filter(names.contains) + names.subtracting(StandardResourceClasses.set).sorted()
    }

    /// Reads an inventory from a row.
    ///
    /// - Parameter start: the position of the first column of the inventory.
    static func inventory(_ row: Row, from start: Int = 0) throws -> Inventory {
        Inventory(
            resourceClass: try row.value(at: start), total: try row.value(at: start + 1), reserved: try row.value(at: start + 2),
            minUnit: try row.value(at: start + 3), maxUnit: try row.value(at: start + 4), stepSize: try row.value(at: start + 5),
            allocationRatio: try row.value(at: start + 6), updatedAt: try row.value(at: start + 7))
    }
}
