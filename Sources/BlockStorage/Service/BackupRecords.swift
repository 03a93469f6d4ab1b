import CloudCore
import SQL

/// The records of backups, which an administrator keeps elsewhere and brings back when a row is lost. A record names
/// the list of pieces, which must still be in the database.
struct BackupRecords: Sendable {
    let context: BlockStorageContext
    private let rules = BackupRules()

    init(context: BlockStorageContext) { self.context = context }

    /// The name of the way in which backups are stored, as the reference names its drivers.
    static let service = "cinder.backup.drivers.novella.NovellaBackupDriver"

    // MARK: Writing

    /// Returns the record of a backup as Base64.
    func export(_ id: ID<VolumeBackup>, by caller: Caller) async throws -> String {
        try await context.read { tx in
            let backup = try rules.require(id, by: caller, in: tx)
            try caller.require(.exportBackup, of: backup.projectID)
            guard backup.status == .available, let manifest = backup.manifestID else {
                throw VolumeRefusal.backup("Backup status must be available and not \(backup.status.rawValue).")
            }
            return Base64.encode(Array(JSON.object(Self.record(of: backup, manifest)).text.utf8))
        }
    }

    private static func record(of backup: VolumeBackup, _ manifest: ID<BackupManifest>) -> JSONObject {
        func text(_ value: String?) -> JSON { value.map(JSON.string) ?? .null }
        return [
            "id": .string(backup.id.text), "user_id": .string(backup.userID), "project_id": .string(backup.projectID),
            "volume_id": .string(backup.volumeID.text), "snapshot_id": text(backup.snapshotID?.text),
            "parent_id": text(backup.parentID?.text), "display_name": text(backup.name),
            "display_description": text(backup.description), "container": text(backup.container),
            "availability_zone": text(backup.zone), "status": .string(backup.status.rawValue),
            "service": .string(service), "service_metadata": .null, "size": .integer(Int64(backup.size)),
            "object_count": .integer(Int64(backup.objectCount)), "metadata": .object(backup.metadata),
            "data_timestamp": .string(backup.dataAt.iso8601MicrosecondsNoZone),
            "driver_info": [
                "manifest": .string(manifest.text), "name": text(backup.origin.name),
                "description": text(backup.origin.description), "metadata": .object(backup.origin.metadata),
                "image_metadata": .object(backup.origin.imageMetadata),
            ],
        ]
    }

    // MARK: Reading

    /// Makes a backup of a record.
    ///
    /// - Throws: `badRequest` for a record that cannot be read, of a backup that is there, or whose list of pieces is
    ///   not in this database, and for a record of another service.
    func take(_ text: String, of service: String, by caller: Caller) async throws -> VolumeBackup {
        try caller.require(.importBackup)
        guard let bytes = Base64.decode(text) else { throw VolumeRefusal.input("Can't decode backup record.") }
        guard let record = try? JSON.parse(bytes).object else {
            throw VolumeRefusal.input("Can't parse backup record.")
        }
        guard service == Self.service else {
            throw CloudError.badRequest("Service \(service.prefix(255)) could not be found.")
        }
        let backup = try backup(of: record, for: caller)
        return try await context.write { tx in
            guard try rules.backups.find(backup.id, in: tx) == nil else {
                throw VolumeRefusal.backup("Backup already exists in database.")
            }
            try rules.requireRoom(forGiB: backup.size, of: caller.projectID, in: tx)
            // A list that the keeper may have begun to remove is none any more.
            let oldest = context.world.now - BackupKeeper.grace
            guard let id = backup.manifestID, let manifest = try rules.manifests.find(id, in: tx), manifest.isWhole,
                manifest.freedAt.map({ $0 > oldest }) ?? true
            else { throw VolumeRefusal.backup("The pieces of the backup are not known to this cloud any more.") }
            try rules.manifests.keep(id, in: tx)
            try rules.backups.insert(backup, in: tx)
            return backup
        }
    }

    /// Returns the backup that a record describes. Its project and its user are those of the caller, as in the
    /// reference.
    private func backup(of record: JSONObject, for caller: Caller) throws -> VolumeBackup {
        guard let id = record["id"]?.string.flatMap(UUIDText.normal) else {
            throw VolumeRefusal.input("Provided backup record is missing an id")
        }
        guard let size = record["size"]?.integer, (1...Int64(Int32.max)).contains(size) else {
            throw VolumeRefusal.input("Provided backup record is missing size attribute")
        }
        func text(_ name: String, in object: JSONObject? = nil) -> String? {
            (object ?? record)[name]?.string.map { String($0.prefix(255)) }
        }
        let info = record["driver_info"]?.object ?? JSONObject()
        let volume = record["volume_id"]?.string.flatMap(UUIDText.normal).map { ID<Kind.Volume>($0) }
        var backup = VolumeBackup(
            id: ID(id), of: volume ?? VolumeBackup.importedVolume, size: Int(size), projectID: caller.projectID,
            userID: caller.userID, createdAt: context.world.now)
        (backup.name, backup.description) = (text("display_name"), text("display_description"))
        (backup.container, backup.zone) = (text("container"), VolumeCreation.usualZone)
        backup.snapshotID = record["snapshot_id"]?.string.flatMap(UUIDText.normal).map { ID($0) }
        backup.parentID = record["parent_id"]?.string.flatMap(UUIDText.normal).map { ID($0) }
        backup.objectCount = Int(record["object_count"]?.integer ?? 0)
        backup.dataAt = text("data_timestamp").flatMap { Timestamp(isotime: $0) } ?? backup.createdAt
        backup.metadata = Self.texts(record["metadata"])
        backup.origin = VolumeBackup.Origin(
            name: text("name", in: info), description: text("description", in: info),
            metadata: Self.texts(info["metadata"]), imageMetadata: Self.texts(info["image_metadata"]))
        backup.manifestID = info["manifest"]?.string.flatMap(UUIDText.normal).map { ID($0) }
        backup.status = .available
        return backup
    }

    /// Returns the members of an object that are texts.
    private static func texts(_ json: JSON?) -> JSONObject {
        JSONObject((json?.object ?? JSONObject()).members.filter { $0.value.string != nil }.map { ($0.key, $0.value) })
    }
}
