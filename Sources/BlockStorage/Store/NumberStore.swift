import CloudCore
import SQL

/// The numbers that only rise. A number is never given twice.
struct NumberStore: Sendable {
    func next(_ name: String, in tx: Transaction) throws -> Int {
        try tx.execute("INSERT INTO volume_number (name, last) VALUES (?, 0) ON CONFLICT DO NOTHING", name)
        guard
            let number: Int = try tx.value(
                "UPDATE volume_number SET last = last + 1 WHERE name = ? RETURNING last", name)
        else {
            throw CloudError.internalError("no number of '\(name)' could be drawn")
        }
        return number
    }
}
