import SQL

extension Schema {
    /// The tables of backups. A piece refers to a chunk of the store by its name; the store has no rows.
    static let backupTables = """
        CREATE TABLE volume_backup_manifest (
          id TEXT PRIMARY KEY, project_id TEXT NOT NULL, bytes INTEGER NOT NULL, done INTEGER NOT NULL,
          freed_at INTEGER);
        CREATE INDEX volume_backup_manifest_freed ON volume_backup_manifest (freed_at) WHERE freed_at IS NOT NULL;
        CREATE TABLE volume_backup_piece (
          manifest_id TEXT NOT NULL REFERENCES volume_backup_manifest(id), position INTEGER NOT NULL,
          chunk TEXT NOT NULL, PRIMARY KEY (manifest_id, position));
        CREATE INDEX volume_backup_piece_chunk ON volume_backup_piece (chunk);
        CREATE TABLE volume_backup (
          id TEXT PRIMARY KEY, project_id TEXT NOT NULL, user_id TEXT NOT NULL, volume_id TEXT NOT NULL,
          snapshot_id TEXT, parent_id TEXT, name TEXT, description TEXT, container TEXT, status TEXT NOT NULL,
          fail_reason TEXT, size INTEGER NOT NULL, object_count INTEGER NOT NULL, zone TEXT, metadata TEXT NOT NULL,
          origin_name TEXT, origin_description TEXT, origin_metadata TEXT NOT NULL,
          origin_image_metadata TEXT NOT NULL, data_at INTEGER NOT NULL, restore_volume_id TEXT,
          manifest_id TEXT REFERENCES volume_backup_manifest(id), created_at INTEGER NOT NULL, updated_at INTEGER);
        CREATE INDEX volume_backup_project ON volume_backup (project_id, created_at, id);
        CREATE INDEX volume_backup_created ON volume_backup (created_at, id);
        CREATE INDEX volume_backup_project_status ON volume_backup (project_id, status, created_at, id);
        CREATE INDEX volume_backup_volume ON volume_backup (volume_id, data_at, id);
        CREATE INDEX volume_backup_name ON volume_backup (name, project_id);
        CREATE INDEX volume_backup_parent ON volume_backup (parent_id) WHERE parent_id IS NOT NULL;
        CREATE INDEX volume_backup_manifest_of ON volume_backup (manifest_id) WHERE manifest_id IS NOT NULL;

        """
}
