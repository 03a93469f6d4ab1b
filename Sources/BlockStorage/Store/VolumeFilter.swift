import CloudCore
import SQL

/// Conditions on volumes; all must hold.
struct VolumeFilter: Sendable {
    /// A comparison of a time, such as `created_at >= …`.
    struct Moment: Sendable {
        var column: String
        /// The sign of SQL.
        var sign: String
        var time: Timestamp
    }

    /// The project; nil for all projects.
    var projectID: String?
    /// The columns that must equal values. Each name is a column of the table.
    var equal: [(column: String, value: SQLValue)] = []
    /// The columns that must contain texts.
    var contain: [(column: String, part: String)] = []
    /// The pairs that the metadata must have, and those that the image's properties must have.
    var metadata: [(name: String, value: String)] = []
    var imageMetadata: [(name: String, value: String)] = []
    var moments: [Moment] = []
    /// Whether no volume can fulfil the conditions.
    var isEmpty = false

    /// The columns that few rows share a value of: a search begins with them.
    private static let selective: Set<String> = ["id", "name", "snapshot_id", "source_id", "group_id", "place"]

    func conditions(in tx: Transaction) throws -> Conditions {
        var conditions = Conditions()
        if isEmpty { conditions.add("1 = 0") }
        let ids = try narrowed(in: tx)
        // If the ids are known, the database shall begin with them and use no other index.
        func key(_ column: String) -> String { ids == nil ? column : "(\(column) || '')" }
        conditions.isIn("id", ids)
        conditions.equal(key("project_id"), projectID)
        for (column, value) in equal {
            if case .text = value, column != "id" {
                conditions.add("\(key(column)) = ?", [value])
            } else {
                conditions.add(value == .null ? "\(column) IS NULL" : "\(column) = ?", value == .null ? [] : [value])
            }
        }
        for (column, part) in contain { conditions.add("replace(\(column), ?, '') <> \(column)", [part.sql]) }
        for (kind, pairs) in [("user", metadata), ("image", imageMetadata)] {
            for (name, value) in pairs {
                conditions.add(
                    """
                    EXISTS (SELECT 1 FROM volume_property p
                      WHERE p.volume_id = volume.id AND p.kind = ? AND p.name = ? AND p.value = ?)
                    """, [kind.sql, name.sql, Self.compared(value).sql])
            }
        }
        for moment in moments { conditions.add("\(moment.column) \(moment.sign) ?", [moment.time.sql]) }
        return conditions
    }

    private static func compared(_ value: String) -> String { String(value.prefix(VolumeStore.comparedCharacters)) }

    /// Returns the ids of the volumes that fulfil a condition which few may fulfil; nil if there is none, or if too
    /// many fulfil it.
    private func narrowed(in tx: Transaction) throws -> [String]? {
        for (column, value) in equal where Self.selective.contains(column) && value != .null {
            var conditions = Conditions()
            conditions.add("\(column) = ?", [value])
            if column == "name" { conditions.equal("project_id", projectID) }
            if let ids = try RowPage.ids("id FROM volume", where: conditions, in: tx) { return ids }
        }
        for (kind, pairs) in [("user", metadata), ("image", imageMetadata)] {
            for (name, value) in pairs {
                var conditions = Conditions()
                conditions.equal("kind", kind)
                conditions.equal("name", name)
                conditions.equal("value", Self.compared(value))
                if let ids = try RowPage.ids("volume_id FROM volume_property", where: conditions, in: tx) { return ids }
            }
        }
        return nil
    }
}
