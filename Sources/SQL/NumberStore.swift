import CloudCore

/// A service's table of the numbers that APIs show as ids. A number is never given twice, even after its owner was
/// deleted.
package struct NumberStore: Sendable {
    private let table: String

    package init(table: String) { self.table = table }

    package func next(_ name: String, in tx: Transaction) throws -> Int {
        try tx.execute("INSERT INTO \(table) (name, last) VALUES (?, 0) ON CONFLICT DO NOTHING", name)
        let sql = "UPDATE \(table) SET last = last + 1 WHERE name = ? RETURNING last"
        guard let number: Int = try tx.value(sql, name) else {
            throw CloudError.internalError("no number of '\(name)' could be drawn")
        }
        return number
    }
}
