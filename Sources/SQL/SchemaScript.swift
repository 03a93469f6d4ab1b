/// The statements of a step of a schema. Triggers and the functions that read JSON differ between the databases;
/// nearly everything else is the same.
package struct SchemaScript: Sendable {
    package let sqlite: String
    package let postgreSQL: String

    /// Makes statements for both databases.
    package init(_ sql: String) { self.init(sqlite: sql, postgreSQL: sql) }

    package init(sqlite: String, postgreSQL: String) {
        self.sqlite = sqlite
        self.postgreSQL = postgreSQL
    }

    /// The text by which an edit is found: the statements for both databases, written once where they are the same.
    var written: String { sqlite == postgreSQL ? sqlite : sqlite + "\n-- PostgreSQL\n" + postgreSQL }

    package static func + (first: SchemaScript, second: SchemaScript) -> SchemaScript {
        SchemaScript(
            sqlite: first.sqlite + "\n" + second.sqlite, postgreSQL: first.postgreSQL + "\n" + second.postgreSQL)
    }

    /// A change of a row after which a trigger runs.
    package enum Event: Sendable {
        case insert, delete
        /// A change of the value of one of some columns.
        case update([String])
    }

    /// Makes a trigger that runs after each change of a row, in the transaction of the change.
    ///
    /// - Parameters:
    ///   - name: the name of the trigger. On PostgreSQL its function has the same name.
    ///   - event: the change. A change of columns counts only if a value differs.
    ///   - statements: the statements, each with its semicolon, over `NEW` and `OLD`.
    package static func trigger(
        _ name: String, after event: Event, on table: String, _ statements: SchemaScript
    ) -> SchemaScript {
        let word: String
        var differs: (sqlite: String, postgreSQL: String) = ("", "")
        switch event {
        case .insert: word = "INSERT"
        case .delete: word = "DELETE"
        case .update(let columns):
            word = "UPDATE OF \(columns.joined(separator: ", "))"
            func any(_ sign: String) -> String {
                " WHEN (\(columns.map { "OLD.\($0) \(sign) NEW.\($0)" }.joined(separator: " OR ")))"
            }
            differs = (any("IS NOT"), any("IS DISTINCT FROM"))
        }
        return SchemaScript(
            sqlite: """
                CREATE TRIGGER \(name) AFTER \(word) ON \(table) FOR EACH ROW\(differs.sqlite) BEGIN
                \(statements.sqlite)
                END;
                """,
            postgreSQL: """
                CREATE FUNCTION \(name)() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                \(statements.postgreSQL)
                RETURN NULL;
                END $$;
                CREATE TRIGGER \(name) AFTER \(word) ON \(table) FOR EACH ROW\(differs.postgreSQL)
                  EXECUTE FUNCTION \(name)();
                """)
    }
}
