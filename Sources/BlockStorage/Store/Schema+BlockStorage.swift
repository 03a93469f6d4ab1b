import SQL

extension Schema {
    /// The tables of Block Storage.
    static let blockStorage = Schema(
        service: "volume",
        [
            Migration(
                1, "types, volumes, snapshots, attachments, quotas, messages",
                SchemaScript(types + volumes + others)
                    + Ledger.creation(of: "volume_usage", Tally.volumes)),
            Migration(2, "transfers", transfers),
            Migration(3, "groups", SchemaScript(groups) + Ledger.addition(of: .groups, to: "volume_usage")),
            Migration(4, "progress of snapshots", "ALTER TABLE volume_snapshot ADD COLUMN progress TEXT;"),
            Migration(
                5, "backups", SchemaScript(backupTables) + Ledger.addition(of: .backups, to: "volume_usage")),
        ])

    private static let types = """
        CREATE TABLE volume_qos (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, consumer TEXT NOT NULL, specs TEXT NOT NULL,
          created_at INTEGER NOT NULL, updated_at INTEGER);
        CREATE UNIQUE INDEX volume_qos_name ON volume_qos (name);
        CREATE TABLE volume_type (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT, is_public INTEGER NOT NULL,
          extra_specs TEXT NOT NULL, qos_id TEXT REFERENCES volume_qos(id), created_at INTEGER NOT NULL,
                  updated_at INTEGER);
        CREATE UNIQUE INDEX volume_type_name ON volume_type (name);
        CREATE INDEX volume_type_qos ON volume_type (qos_id);
        CREATE TABLE volume_type_access (
          type_id TEXT NOT NULL REFERENCES volume_type(id) ON DELETE CASCADE, project_id TEXT NOT NULL,
          PRIMARY KEY (type_id, project_id));
        CREATE TABLE volume_default_type (
          project_id TEXT PRIMARY KEY, type_id TEXT NOT NULL REFERENCES volume_type(id));
        CREATE INDEX volume_default_type_type ON volume_default_type (type_id);

        """

    /// The indexes of a list begin with what the list is narrowed by and end with its usual order, so that a page is
    /// one stretch of an index.
    private static let volumes = """
        CREATE TABLE volume (
          id TEXT PRIMARY KEY, project_id TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT, description TEXT,
          size INTEGER NOT NULL, claimed_size INTEGER NOT NULL, status TEXT NOT NULL, previous_status TEXT,
          attach_status TEXT NOT NULL, migration_status TEXT, zone TEXT, host TEXT, pool TEXT, place TEXT,
          type_id TEXT NOT NULL REFERENCES volume_type(id), snapshot_id TEXT, source_id TEXT, group_id TEXT,
          is_bootable INTEGER NOT NULL, is_multiattach INTEGER NOT NULL, is_read_only INTEGER, metadata TEXT NOT NULL,
          image_metadata TEXT NOT NULL, generation INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER,
          launched_at INTEGER);
        CREATE INDEX volume_project ON volume (project_id, created_at, id);
        CREATE INDEX volume_created ON volume (created_at, id);
        CREATE INDEX volume_project_status ON volume (project_id, status, created_at, id);
        CREATE INDEX volume_status ON volume (status, created_at, id);
        CREATE INDEX volume_name ON volume (name, project_id);
        CREATE INDEX volume_place ON volume (place);
        CREATE INDEX volume_type_of ON volume (type_id, created_at, id);
        CREATE INDEX volume_snapshot_of ON volume (snapshot_id) WHERE snapshot_id IS NOT NULL;
        CREATE INDEX volume_source_of ON volume (source_id) WHERE source_id IS NOT NULL;
        CREATE INDEX volume_group_of ON volume (group_id) WHERE group_id IS NOT NULL;
        CREATE TABLE volume_property (
          volume_id TEXT NOT NULL REFERENCES volume(id) ON DELETE CASCADE, kind TEXT NOT NULL, name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (volume_id, kind, name));
        CREATE INDEX volume_property_value ON volume_property (kind, name, value);

        CREATE TABLE volume_snapshot (
          id TEXT PRIMARY KEY, volume_id TEXT NOT NULL REFERENCES volume(id), project_id TEXT NOT NULL,
          user_id TEXT NOT NULL, name TEXT, description TEXT, size INTEGER NOT NULL, status TEXT NOT NULL,
          type_id TEXT NOT NULL REFERENCES volume_type(id), group_snapshot_id TEXT, metadata TEXT NOT NULL,
          is_bootable INTEGER NOT NULL, image_metadata TEXT NOT NULL, generation INTEGER NOT NULL,
          created_at INTEGER NOT NULL, updated_at INTEGER);
        CREATE INDEX volume_snapshot_project ON volume_snapshot (project_id, created_at, id);
        CREATE INDEX volume_snapshot_created ON volume_snapshot (created_at, id);
        CREATE INDEX volume_snapshot_project_status ON volume_snapshot (project_id, status, created_at, id);
        CREATE INDEX volume_snapshot_volume ON volume_snapshot (volume_id, created_at, id);
        CREATE INDEX volume_snapshot_name ON volume_snapshot (name, project_id);
        CREATE INDEX volume_snapshot_type ON volume_snapshot (type_id);
        CREATE INDEX volume_snapshot_group ON volume_snapshot (group_snapshot_id) WHERE group_snapshot_id IS NOT NULL;
        CREATE TABLE volume_snapshot_property (
          snapshot_id TEXT NOT NULL REFERENCES volume_snapshot(id) ON DELETE CASCADE, name TEXT NOT NULL,
          value TEXT NOT NULL, PRIMARY KEY (snapshot_id, name));
        CREATE INDEX volume_snapshot_property_value ON volume_snapshot_property (name, value);

        CREATE TABLE volume_attachment (
          id TEXT PRIMARY KEY, volume_id TEXT NOT NULL REFERENCES volume(id) ON DELETE CASCADE,
          project_id TEXT NOT NULL, server_id TEXT, host TEXT, mountpoint TEXT, status TEXT NOT NULL, mode TEXT,
                  connector TEXT NOT NULL,
          is_connected INTEGER NOT NULL, is_servers INTEGER NOT NULL, epoch INTEGER NOT NULL, attached_at INTEGER,
          created_at INTEGER NOT NULL, updated_at INTEGER);
        CREATE INDEX volume_attachment_volume ON volume_attachment (volume_id, created_at, id);
        CREATE INDEX volume_attachment_project ON volume_attachment (project_id, created_at, id);
        CREATE INDEX volume_attachment_created ON volume_attachment (created_at, id);
        CREATE INDEX volume_attachment_server ON volume_attachment (server_id) WHERE server_id IS NOT NULL;

        """

    private static let transfers = """
        CREATE TABLE volume_transfer (
          id TEXT PRIMARY KEY, volume_id TEXT NOT NULL REFERENCES volume(id) ON DELETE CASCADE,
          project_id TEXT NOT NULL, name TEXT, leaves_snapshots INTEGER NOT NULL, salt TEXT NOT NULL,
          key_hash TEXT NOT NULL, created_at INTEGER NOT NULL);
        CREATE INDEX volume_transfer_volume ON volume_transfer (volume_id);
        CREATE INDEX volume_transfer_project ON volume_transfer (project_id, created_at, id);
        CREATE INDEX volume_transfer_created ON volume_transfer (created_at, id);

        """

    private static let groups = """
        CREATE TABLE volume_group_type (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, description TEXT, is_public INTEGER NOT NULL, specs TEXT NOT NULL,
          created_at INTEGER NOT NULL, updated_at INTEGER);
        CREATE UNIQUE INDEX volume_group_type_name ON volume_group_type (name);
        CREATE TABLE volume_group (
          id TEXT PRIMARY KEY, project_id TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT, description TEXT,
          status TEXT NOT NULL, zone TEXT, type_id TEXT NOT NULL REFERENCES volume_group_type(id), host TEXT, pool TEXT,
          group_snapshot_id TEXT, source_group_id TEXT, created_at INTEGER NOT NULL, updated_at INTEGER);
        CREATE INDEX volume_group_project ON volume_group (project_id, created_at, id);
        CREATE INDEX volume_group_created ON volume_group (created_at, id);
        CREATE INDEX volume_group_type_used ON volume_group (type_id);
        CREATE INDEX volume_group_snapshot_of ON volume_group (group_snapshot_id) WHERE group_snapshot_id IS NOT NULL;
        CREATE INDEX volume_group_source_of ON volume_group (source_group_id) WHERE source_group_id IS NOT NULL;
        CREATE TABLE volume_group_member_type (
          group_id TEXT NOT NULL REFERENCES volume_group(id) ON DELETE CASCADE,
          type_id TEXT NOT NULL REFERENCES volume_type(id), PRIMARY KEY (group_id, type_id));
        CREATE INDEX volume_group_member_type_of ON volume_group_member_type (type_id);
        CREATE TABLE volume_group_snapshot (
          id TEXT PRIMARY KEY, group_id TEXT NOT NULL REFERENCES volume_group(id), type_id TEXT NOT NULL,
          project_id TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT, description TEXT, status TEXT NOT NULL,
          created_at INTEGER NOT NULL, updated_at INTEGER);
        CREATE INDEX volume_group_snapshot_project ON volume_group_snapshot (project_id, created_at, id);
        CREATE INDEX volume_group_snapshot_created ON volume_group_snapshot (created_at, id);
        CREATE INDEX volume_group_snapshot_group ON volume_group_snapshot (group_id);

        """

    private static let others = """
        CREATE TABLE volume_number (name TEXT PRIMARY KEY, last INTEGER NOT NULL);
        CREATE TABLE volume_quota (
          project_id TEXT NOT NULL, resource TEXT NOT NULL, most INTEGER NOT NULL, PRIMARY KEY (project_id, resource));
        CREATE TABLE volume_quota_class (
          name TEXT NOT NULL, resource TEXT NOT NULL, most INTEGER NOT NULL, PRIMARY KEY (name, resource));
        CREATE TABLE volume_host (
          name TEXT PRIMARY KEY, is_disabled INTEGER NOT NULL, disabled_reason TEXT, is_frozen INTEGER NOT NULL,
          updated_at INTEGER);
        CREATE TABLE volume_message (
          id TEXT PRIMARY KEY, project_id TEXT NOT NULL, request_id TEXT, subject TEXT NOT NULL,
          subject_id TEXT NOT NULL, event_id TEXT NOT NULL, text TEXT NOT NULL, created_at INTEGER NOT NULL,
                  expires_at INTEGER NOT NULL);
        CREATE INDEX volume_message_project ON volume_message (project_id, created_at, id);
        CREATE INDEX volume_message_created ON volume_message (created_at, id);
        CREATE INDEX volume_message_subject ON volume_message (subject_id);
        CREATE INDEX volume_message_expiry ON volume_message (expires_at);

        """
}
