import CloudCore
import SQL

/// The rows of messages.
struct MessageStore: Sendable {
    private static let columns =
        "id, project_id, request_id, subject, subject_id, event_id, text, created_at, expires_at"

    /// Conditions on messages; all must hold.
    struct Filter: Sendable {
        /// The project; nil for all projects.
        var projectID: String?
        var equal: [(column: String, value: String)] = []
        /// Whether no message can fulfil the conditions.
        var isEmpty = false

        fileprivate var conditions: Conditions {
            var conditions = Conditions()
            if isEmpty { conditions.add("1 = 0") }
            conditions.equal("project_id", projectID)
            for (column, value) in equal { conditions.equal(column, value) }
            return conditions
        }
    }

    func find(_ id: ID<VolumeMessage>, in tx: Transaction) throws -> VolumeMessage? {
        try tx.row("SELECT \(Self.columns) FROM volume_message WHERE id = ?", id).map(Self.message)
    }

    func page(_ filter: Filter, _ page: RowPage, in tx: Transaction) throws -> [VolumeMessage] {
        try page.rows(
            Self.columns, from: "volume_message", where: filter.conditions, lost: { VolumeMessage.missing($0) }, in: tx
        ).map(Self.message)
    }

    /// Adds a message. One that is there already stays as it is, so that a step can be repeated.
    func insert(_ message: VolumeMessage, in tx: Transaction) throws {
        try tx.execute(
            "INSERT INTO volume_message (\(Self.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            message.id, message.projectID, message.requestID, message.subject.rawValue, message.subjectID,
            message.eventID, message.text, message.createdAt, message.expiresAt)
    }

    func delete(_ id: ID<VolumeMessage>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM volume_message WHERE id = ?", id)
    }

    /// Removes some messages whose time is over; returns how many.
    func removeExpired(at now: Timestamp, most: Int, in tx: Transaction) throws -> Int {
        try tx.execute(
            """
            DELETE FROM volume_message WHERE id IN
              (SELECT id FROM volume_message WHERE expires_at < ? ORDER BY expires_at LIMIT ?)
            """, now, most)
    }

    private static func message(_ row: Row) throws -> VolumeMessage {
        VolumeMessage(
            id: try row.value(at: 0), projectID: try row.value(at: 1), requestID: try row.value(at: 2),
            subject: VolumeMessage.Subject(rawValue: try row.value(at: 3)) ?? .volume, subjectID: try row.value(at: 4),
            eventID: try row.value(at: 5), text: try row.value(at: 6), createdAt: try row.value(at: 7),
            expiresAt: try row.value(at: 8))
    }
}
