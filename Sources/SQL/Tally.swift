/// Usage of a service's resources that follows from the rows of one table: for each row, an amount of each resource
/// that its project and its user have.
///
/// The texts are SQL over one row, whose columns are written `row.column`.
///
/// ```swift
/// Tally(of: "volume", owners: [.project("row.project_id")], [.use("volumes"), .use("gigabytes", "row.size")])
/// ```
package struct Tally: Sendable {
    /// The owner to whom a row is added up.
    package struct Owner: Sendable {
        let project: String
        let user: String

        fileprivate static let nobody = "''"

        /// Makes an owner that is a whole project.
        package static func project(_ project: String) -> Owner { Owner(project: project, user: nobody) }
        /// Makes an owner that is one user in a project.
        package static func user(_ user: String, in project: String) -> Owner { Owner(project: project, user: user) }
        /// Makes an owner that is a user, whatever the project.
        package static func user(_ user: String) -> Owner { Owner(project: "''", user: user) }
    }

    /// The amount of a resource that a row is.
    package struct Use: Sendable {
        let resource: String
        let amount: String

        package static func use(_ resource: String, _ amount: String = "1") -> Use {
            Use(resource: "'\(resource)'", amount: amount)
        }
        /// Makes an amount of a resource whose name is SQL over the row, such as `'gigabytes_' || row.type`.
        package static func use(named resource: String, _ amount: String = "1") -> Use {
            Use(resource: resource, amount: amount)
        }
    }

    let rows: String
    let owners: [Owner]
    let uses: [Use]
    let condition: String

    /// - Parameters:
    ///   - rows: the table of the rows. A table has at most one tally.
    ///   - condition: the rows that count; rows of no project usually do not.
    package init(of rows: String, owners: [Owner], _ uses: [Use], where condition: String = "row.project_id <> ''") {
        self.rows = rows
        self.owners = owners
        self.uses = uses
        self.condition = condition
    }

    // MARK: Text

    /// Makes the triggers that keep the tally in a ledger. The text is a part of migrations, so it never changes.
    func triggers(in ledger: String) -> SchemaScript {
        func trigger(_ word: String, _ event: SchemaScript.Event, _ statements: [String]) -> SchemaScript {
            .trigger(
                "\(ledger)_of_\(rows)_\(word)", after: event, on: rows,
                Ledger.inSlots(statements.joined(separator: "\n")))
        }
        let added = additions(of: "NEW", "", to: ledger)
        let taken = additions(of: "OLD", "-", to: ledger) + removals(of: "OLD", in: ledger)
        return trigger("insert", .insert, added) + trigger("update", .update(columns), added + taken)
            + trigger("delete", .delete, taken)
    }

    /// Returns the entries that the present rows make, as a query.
    func entries() -> String {
        entries(of: "counted").map { "\($0.select) FROM \(rows) AS counted WHERE \($0.condition)" }.joined(
            separator: " UNION ALL ")
    }

    /// The columns whose values the entries depend on.
    private var columns: [String] {
        let texts = [condition] + owners.flatMap { [$0.project, $0.user] } + uses.flatMap { [$0.resource, $0.amount] }
        return Set(texts.flatMap { $0.matches(of: /\brow\.(\w+)/).map { String($0.1) } }).sorted()
    }

    private func additions(of row: String, _ sign: String, to ledger: String) -> [String] {
        entries(of: row, sign).map { entry in
            """
            INSERT INTO \(ledger) (project_id, user_id, resource, used, slot)
              \(entry.select), \(Ledger.thisSlot) WHERE \(entry.condition)
              ON CONFLICT (project_id, user_id, resource, slot) DO UPDATE SET used = \(ledger).used + excluded.used;
            """
        }
    }

    /// Returns statements that remove those entries of a row that have become zero.
    private func removals(of row: String, in ledger: String) -> [String] {
        pairs.map { owner, use in
            """
            DELETE FROM \(ledger)
              WHERE project_id = \(Self.text(owner.project, row)) AND user_id = \(Self.text(owner.user, row))
              AND resource = \(Self.text(use.resource, row)) AND slot = \(Ledger.thisSlot) AND used = 0;
            """
        }
    }

    private func entries(of row: String, _ sign: String = "") -> [(select: String, condition: String)] {
        pairs.map { owner, use in
            let values = [owner.project, owner.user, use.resource, "\(sign)(\(use.amount))"]
            // A user without an id would be the whole project, which has an entry of its own.
            let condition = owner.user == Owner.nobody ? condition : "(\(condition)) AND \(owner.user) <> ''"
            return ("SELECT \(values.map { Self.text($0, row) }.joined(separator: ", "))", Self.text(condition, row))
        }
    }

    private var pairs: [(Owner, Use)] { owners.flatMap { owner in uses.map { (owner, $0) } } }

    private static func text(_ sql: String, _ row: String) -> String { sql.replacing(/\brow\./, with: row + ".") }
}
