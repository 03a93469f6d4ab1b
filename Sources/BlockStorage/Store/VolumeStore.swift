import CloudCore
import SQL

/// The rows of volumes.
struct VolumeStore: RowStore {
    static let map = RowMap<Volume>(
        "volume",
        [
            ("id", { $0.id }), ("project_id", { $0.projectID }), ("user_id", { $0.userID }), ("name", { $0.name }),
            ("description", { $0.description }), ("size", { $0.size }), ("claimed_size", { $0.claimedSize }),
            ("status", { $0.status.rawValue }), ("previous_status", { $0.previousStatus?.rawValue }),
            ("attach_status", { $0.attachStatus.rawValue }), ("migration_status", { $0.migration }),
            ("zone", { $0.zone }), ("host", { $0.host }), ("pool", { $0.pool }), ("place", { $0.place }),
            ("type_id", { $0.typeID }), ("snapshot_id", { $0.snapshotID }), ("source_id", { $0.sourceID }),
            ("group_id", { $0.groupID }), ("is_bootable", { $0.isBootable }), ("is_multiattach", { $0.isMultiattach }),
            ("is_read_only", { $0.isReadOnly }), ("metadata", { $0.metadata }),
            ("image_metadata", { $0.imageMetadata }), ("generation", { $0.generation }),
            ("created_at", { $0.createdAt }), ("updated_at", { $0.updatedAt }), ("launched_at", { $0.launchedAt }),
        ])
    static let guards = ["status", "attach_status"]

    func insert(_ volume: Volume, in tx: Transaction) throws {
        try Self.map.insert(volume, in: tx)
        try setProperties(.user, volume.metadata, of: volume.id, in: tx)
        try setProperties(.image, volume.imageMetadata, of: volume.id, in: tx)
    }

    /// Writes what differs between two forms of a volume.
    ///
    /// - Throws: `conflict` if the volume has another state than the old form says, or is gone.
    func update(_ old: Volume, to new: Volume, in tx: Transaction) throws {
        try write(old, to: new, in: tx)
        if old.metadata != new.metadata { try setProperties(.user, new.metadata, of: new.id, in: tx) }
        if old.imageMetadata != new.imageMetadata {
            try setProperties(.image, new.imageMetadata, of: new.id, in: tx)
        }
    }

    // MARK: Properties

    /// The two kinds of properties that lists can be searched by.
    enum PropertyKind: String { case user, image }

    /// The most characters of a value that a search compares; user's values are never longer.
    static let comparedCharacters = 255

    private func setProperties(
        _ kind: PropertyKind, _ properties: JSONObject, of id: ID<Kind.Volume>, in tx: Transaction
    ) throws {
        try tx.execute("DELETE FROM volume_property WHERE volume_id = ? AND kind = ?", id, kind.rawValue)
        guard !properties.isEmpty else { return }
        let rows = properties.members.map { _ in "(?, ?, ?, ?)" }.joined(separator: ", ")
        try tx.execute(
            "INSERT INTO volume_property (volume_id, kind, name, value) VALUES \(rows)",
            arguments: properties.members.flatMap { name, value in
                let text = String((value.string ?? value.text).prefix(Self.comparedCharacters))
                return [id.sql, kind.rawValue.sql, name.sql, text.sql]
            })
    }

    // MARK: Lists

    func page(_ filter: VolumeFilter, _ page: RowPage, in tx: Transaction) throws -> [Volume] {
        try rows(try filter.conditions(in: tx), of: page, in: tx)
    }

    /// Counts the volumes of a list, and adds up their sizes.
    func total(_ filter: VolumeFilter, in tx: Transaction) throws -> (count: Int, size: Int) {
        let conditions = try filter.conditions(in: tx)
        let row = try tx.rows(
            "SELECT count(*), CAST(coalesce(sum(size), 0) AS BIGINT) FROM volume \(conditions.clause)",
            arguments: conditions.arguments
        ).first
        return try row.map { (try $0.value(at: 0), try $0.value(at: 1)) } ?? (0, 0)
    }

    /// Returns the distinct pairs of users' metadata.
    ///
    /// - Parameter project: the project; nil for all.
    func metadata(of project: String?, most: Int, in tx: Transaction) throws -> [(name: String, value: String)] {
        var conditions = Conditions()
        conditions.equal("kind", PropertyKind.user.rawValue)
        if let project {
            conditions.add("volume_id IN (SELECT id FROM volume WHERE project_id = ?)", [project.sql])
        }
        return try tx.rows(
            "SELECT DISTINCT name, value FROM volume_property \(conditions.clause) ORDER BY name, value LIMIT ?",
            arguments: conditions.arguments + [most.sql]
        ).map { (name: try $0.value(at: 0), value: try $0.value(at: 1)) }
    }

    /// Returns whether a volume has a type.
    func uses(_ type: ID<VolumeType>, in tx: Transaction) throws -> Bool {
        let isUsed = try tx.row("SELECT id FROM volume WHERE type_id = ? LIMIT 1", type) != nil
        return try isUsed || tx.row("SELECT id FROM volume_snapshot WHERE type_id = ? LIMIT 1", type) != nil
    }

    func list(inGroup id: ID<VolumeGroup>, in tx: Transaction) throws -> [Volume] {
        try tx.rows("\(Self.selection) WHERE group_id = ? ORDER BY created_at, id", id).map(Self.noun)
    }

    /// Returns the places of volumes, for the hints that name them.
    func places(of ids: [String], in tx: Transaction) throws -> Set<String> {
        Set(
            try tx.pieces(of: ids.map(\.sql)).flatMap { list, arguments in
                try tx.rows("SELECT place FROM volume WHERE place IS NOT NULL AND id \(list)", arguments: arguments)
            }.map { try $0.value(at: 0) as String })
    }

    static func noun(_ row: Row) throws -> Volume {
        var volume = Volume(
            id: try row.value(at: 0), projectID: try row.value(at: 1), userID: try row.value(at: 2),
            size: try row.value(at: 5), typeID: try row.value(at: 15), createdAt: try row.value(at: 25))
        (volume.name, volume.description) = (try row.value(at: 3), try row.value(at: 4))
        volume.claimedSize = try row.value(at: 6)
        volume.status = VolumeStatus(rawValue: try row.value(at: 7)) ?? .error
        volume.previousStatus = (try row.value(at: 8) as String?).flatMap(VolumeStatus.init)
        volume.attachStatus = AttachStatus(rawValue: try row.value(at: 9)) ?? .detached
        (volume.migration, volume.zone) = (try row.value(at: 10), try row.value(at: 11))
        (volume.host, volume.pool) = (try row.value(at: 12), try row.value(at: 13))
        (volume.snapshotID, volume.sourceID) = (try row.value(at: 16), try row.value(at: 17))
        volume.groupID = try row.value(at: 18)
        (volume.isBootable, volume.isMultiattach) = (try row.value(at: 19), try row.value(at: 20))
        volume.isReadOnly = try row.value(at: 21)
        (volume.metadata, volume.imageMetadata) = (try row.value(at: 22), try row.value(at: 23))
        volume.generation = try row.value(at: 24)
        (volume.updatedAt, volume.launchedAt) = (try row.value(at: 26), try row.value(at: 27))
        return volume
    }
}
