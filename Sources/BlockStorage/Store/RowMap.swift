import SQL

/// The columns of a noun's table, each with its value. A change writes only the columns that differ, because a database
/// writes every index of a column that a statement names.
struct RowMap<Noun: Sendable>: Sendable {
    typealias Column = (name: String, value: @Sendable (Noun) -> any SQLConvertible)

    let table: String
    let all: [Column]
    /// The names of the columns, as a query lists them.
    let columns: String
    private let insertion: String

    init(_ table: String, _ all: [Column]) {
        self.table = table
        self.all = all
        columns = all.map(\.name).joined(separator: ", ")
        let marks = all.map { _ in "?" }.joined(separator: ", ")
        insertion = "INSERT INTO \(table) (\(columns)) VALUES (\(marks))"
    }

    func insert(_ noun: Noun, in tx: Transaction) throws {
        try tx.execute(insertion, arguments: all.map { $0.value(noun).sql })
    }

    /// Writes what differs between two forms of a row.
    ///
    /// - Parameters:
    ///   - guards: the columns that must still have their old values.
    /// - Returns: false if the row is gone or a guard has another value.
    func update(_ old: Noun, to new: Noun, guards: [String] = [], in tx: Transaction) throws -> Bool {
        var changes: [(name: String, value: SQLValue)] = []
        var conditions: [(name: String, value: SQLValue)] = []
        for column in all {
            let (before, after) = (column.value(old).sql, column.value(new).sql)
            if before != after { changes.append((column.name, after)) }
            if column.name == "id" || guards.contains(column.name) { conditions.append((column.name, before)) }
        }
        guard !changes.isEmpty else { return true }
        let sets = changes.map { "\($0.name) = ?" }.joined(separator: ", ")
        let tests = conditions.map { "\($0.name) = ?" }.joined(separator: " AND ")
        let sql = "UPDATE \(table) SET \(sets) WHERE \(tests)"
        return try tx.execute(sql, arguments: changes.map(\.value) + conditions.map(\.value)) > 0
    }
}
