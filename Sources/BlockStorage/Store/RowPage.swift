import CloudCore
import SQL

/// A page of a list, in the order of columns.
struct RowPage: Sendable {
    typealias Order = [(column: String, ascending: Bool)]

    /// The most rows to which a condition narrows a list before the other conditions are tested.
    static let most = 1000  // tidy: allow bound, of a search

    /// The order by SQL that is never NULL. It ends with the id, so that no two rows are equal.
    var order: Order
    var marker: String?
    var offset: Int
    var limit: Int

    /// Returns the rows of the page.
    ///
    /// - Parameters:
    ///   - columns: what is read of each row.
    ///   - lost: the error for a marker without a row.
    func rows(
        _ columns: String, from table: String, where given: Conditions, lost: (String) -> CloudError, in tx: Transaction
    ) throws -> [Row] {
        var conditions = given
        let order = try Keyset.distinct(order)
        if let marker {
            let keys = order.map(\.column).joined(separator: ", ")
            guard let last = try tx.row("SELECT \(keys) FROM \(table) WHERE id = ?", marker) else { throw lost(marker) }
            conditions.after(order, last.values)
        }
        let sql = "SELECT \(columns) FROM \(table) \(conditions.clause) \(Keyset.ordering(order)) LIMIT ?"
        let arguments = conditions.arguments + [limit.sql]
        guard offset > 0 else { return try tx.rows(sql, arguments: arguments) }
        return try tx.rows(sql + " OFFSET ?", arguments: arguments + [offset.sql])
    }

    /// Returns the ids of the rows that fulfil a condition; nil if they are too many to begin a search with.
    static func ids(_ source: String, where conditions: Conditions, in tx: Transaction) throws -> [String]? {
        let rows = try tx.rows(
            "SELECT \(source) \(conditions.clause) LIMIT ?", arguments: conditions.arguments + [(most + 1).sql])
        return try rows.count > most ? nil : rows.map { try $0.value(at: 0) }
    }
}
