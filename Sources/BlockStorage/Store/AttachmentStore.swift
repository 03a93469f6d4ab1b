import CloudCore
import SQL

/// The rows of attachments.
struct AttachmentStore: RowStore {
    static let map = RowMap<VolumeAttachment>(
        "volume_attachment",
        [
            ("id", { $0.id }), ("volume_id", { $0.volumeID }), ("project_id", { $0.projectID }),
            ("server_id", { $0.serverID }), ("host", { $0.host }), ("mountpoint", { $0.mountpoint }),
            ("status", { $0.status.rawValue }), ("mode", { $0.mode }), ("connector", { $0.connector }),
            ("is_connected", { $0.isConnected }), ("is_servers", { $0.isServers }), ("epoch", { $0.epoch }),
            ("attached_at", { $0.attachedAt }), ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }),
        ])
    static let guards = ["status"]
    private let numbers = NumberStore(table: "volume_number")

    /// Conditions on attachments; all must hold.
    struct Filter: Sendable {
        /// The project; nil for all projects.
        var projectID: String?
        var volumeID: String?
        var serverID: String?
        var status: String?
        /// Whether no attachment can fulfil the conditions.
        var isEmpty = false

        fileprivate var conditions: Conditions {
            var conditions = Conditions()
            if isEmpty { conditions.add("1 = 0") }
            // A search by a server or a volume finds few rows; it shall use no other index.
            let isNarrow = serverID != nil || volumeID != nil
            conditions.equal("server_id", serverID)
            conditions.equal(serverID == nil ? "volume_id" : "(volume_id || '')", volumeID)
            conditions.equal(isNarrow ? "(project_id || '')" : "project_id", projectID)
            conditions.equal("status", status)
            return conditions
        }
    }

    /// Returns the attachments of volumes, the oldest first.
    func list(
        of volumes: [ID<Kind.Volume>], in tx: Transaction
    ) throws -> [ID<Kind.Volume>: [VolumeAttachment]] {
        let rows = try tx.pieces(of: volumes.map(\.sql)).flatMap { list, arguments in
            try tx.rows("\(Self.selection) WHERE volume_id \(list) ORDER BY created_at, id", arguments: arguments)
        }
        return Dictionary(grouping: try rows.map(Self.noun), by: \.volumeID)
    }

    func list(of volume: ID<Kind.Volume>, in tx: Transaction) throws -> [VolumeAttachment] {
        try list(of: [volume], in: tx)[volume] ?? []
    }

    /// Returns the attachments of servers, the oldest first.
    func list(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [VolumeAttachment] {
        try tx.pieces(of: servers.map(\.sql)).flatMap { list, arguments in
            try tx.rows("\(Self.selection) WHERE server_id \(list) ORDER BY created_at, id", arguments: arguments)
        }.map(Self.noun)
    }

    func page(_ filter: Filter, _ page: RowPage, in tx: Transaction) throws -> [VolumeAttachment] {
        try rows(filter.conditions, of: page, in: tx)
    }

    /// Returns a number that is higher than that of every attachment so far.
    func nextEpoch(in tx: Transaction) throws -> Int64 { Int64(try numbers.next("attachment", in: tx)) }

    static func noun(_ row: Row) throws -> VolumeAttachment {
        let volume = Volume(
            id: try row.value(at: 1), projectID: try row.value(at: 2), userID: "", size: 0, typeID: ID(""),
            createdAt: try row.value(at: 13))
        var attachment = VolumeAttachment(
            id: try row.value(at: 0), volume: volume, serverID: try row.value(at: 3),
            status: AttachStatus(rawValue: try row.value(at: 6)) ?? .errorAttaching, epoch: try row.value(at: 11),
            createdAt: try row.value(at: 13))
        (attachment.host, attachment.mountpoint) = (try row.value(at: 4), try row.value(at: 5))
        (attachment.mode, attachment.connector) = (try row.value(at: 7), try row.value(at: 8))
        (attachment.isConnected, attachment.isServers) = (try row.value(at: 9), try row.value(at: 10))
        (attachment.attachedAt, attachment.updatedAt) = (try row.value(at: 12), try row.value(at: 14))
        return attachment
    }
}
