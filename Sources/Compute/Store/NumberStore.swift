import CloudCore
import SQL

/// The numbers that the API shows as ids. A number is never given twice, even after its owner was deleted.
struct NumberStore: Sendable {
    func next(_ name: String, in tx: Transaction) throws -> Int {
        try tx.execute("INSERT INTO compute_number (name, last) VALUES (?, 0) ON CONFLICT DO NOTHING", name)
        guard
            let number: Int = try tx.value(
                "UPDATE compute_number SET last = last + 1 WHERE name = ? RETURNING last", name)
        else {
            throw CloudError.internalError("no number of '\(name)' could be drawn")
        }
        return number
    }
}
