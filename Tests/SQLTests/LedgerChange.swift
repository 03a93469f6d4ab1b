import CloudCore
import SQL
import TestSupport

/// A change of rows in each form that a statement can have.
struct LedgerChange {
    private let verb: Int
    private let id: Int
    private let project: String
    private let user: String
    private let kind: String
    private let weight: Int

    init(_ random: inout SplitMix64) {
        verb = Int.random(in: 0..<9, using: &random)
        id = Int.random(in: 1...12, using: &random)
        project = ["p", "q", ""].randomElement(using: &random) ?? "p"
        user = ["u", "v", ""].randomElement(using: &random) ?? "u"
        kind = ["a", "b"].randomElement(using: &random) ?? "a"
        weight = Int.random(in: -2...5, using: &random)
    }

    func run(in tx: Transaction) throws {
        switch verb {
        case 0, 1, 2: try LedgerTests.add(id, project, user, kind, weight, in: tx)
        case 3:
            try tx.execute(
                """
                INSERT INTO crate (id, project_id, user_id, kind, weight) VALUES (?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET weight = crate.weight + excluded.weight, user_id = excluded.user_id
                """, id, project, user, kind, weight)
        case 4: try tx.execute("UPDATE crate SET project_id = ?, kind = ? WHERE id <= ?", project, kind, id)
        case 5:
            try tx.execute(
                "UPDATE crate SET weight = ?, note = ?, shelf = NULL WHERE user_id = ?", weight, kind, user)
        case 6: try tx.execute("DELETE FROM crate WHERE id = ? OR project_id = ?", id, project)
        case 7:
            // The delete of a shelf takes its crates along.
            try tx.execute("INSERT INTO shelf (id) VALUES (?) ON CONFLICT DO NOTHING", id)
            try tx.execute("UPDATE crate SET shelf = ? WHERE kind = ?", id, kind)
            if weight > 1 { try tx.execute("DELETE FROM shelf WHERE id = ?", id) }
        default:
            try tx.execute(
                """
                INSERT INTO label (id, user_id) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id
                """,
                id, user)
            if weight > 2 { try tx.execute("DELETE FROM label WHERE id = ?", id) }
        }
    }
}
