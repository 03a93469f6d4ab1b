import SQL

extension Schema {
    /// Images' tables. The work on an image is not a column of it but the row of its worker, which disappears with the
    /// worker.
    static let images = Schema(
        service: "images",
        [
            Migration(
                1, "images, their data, who shares them",
                """
                CREATE TABLE image (
                  id TEXT PRIMARY KEY, name TEXT, owner TEXT, visibility TEXT NOT NULL, is_protected INTEGER NOT NULL,
                  is_hidden INTEGER NOT NULL, state TEXT NOT NULL, disk_format TEXT, container_format TEXT, min_ram INTEGER NOT NULL,
                  min_disk INTEGER NOT NULL, size INTEGER, virtual_size INTEGER, checksum TEXT, hash_algorithm TEXT, hash_value TEXT,
                  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
                CREATE INDEX image_owner ON image (owner);
                CREATE INDEX image_created ON image (created_at, id);

                CREATE TABLE image_property (
                  image_id TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE, name TEXT NOT NULL, value TEXT NOT NULL,
                  PRIMARY KEY (image_id, name));
                CREATE INDEX image_property_name ON image_property (name, value);
                CREATE TABLE image_tag (
                  image_id TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE, value TEXT NOT NULL, PRIMARY KEY (image_id, value));
                CREATE INDEX image_tag_value ON image_tag (value);
                CREATE TABLE image_member (
                  image_id TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE, member_id TEXT NOT NULL, status TEXT NOT NULL,
                  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (image_id, member_id));
                CREATE INDEX image_member_member ON image_member (member_id);

                CREATE TABLE image_location (
                  id TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE, position INTEGER NOT NULL,
                  store TEXT NOT NULL, blob_id TEXT NOT NULL, metadata TEXT NOT NULL, created_at INTEGER NOT NULL);
                CREATE UNIQUE INDEX image_location_store ON image_location (image_id, store);
                CREATE INDEX image_location_blob ON image_location (blob_id);

                CREATE TABLE image_upload (
                  image_id TEXT PRIMARY KEY REFERENCES image(id) ON DELETE CASCADE, kind TEXT NOT NULL, owner TEXT NOT NULL,
                  renewed_at INTEGER NOT NULL, expires_at INTEGER);
                CREATE TABLE image_stage (
                  image_id TEXT PRIMARY KEY REFERENCES image(id) ON DELETE CASCADE, store TEXT NOT NULL, blob_id TEXT NOT NULL,
                  size INTEGER NOT NULL, created_at INTEGER NOT NULL);
                CREATE INDEX image_stage_blob ON image_stage (blob_id);
                """),
            .metadefs,
            Migration(
                3, "what staged data is, data on its way into stores",
                """
                ALTER TABLE image_stage ADD COLUMN md5 TEXT NOT NULL DEFAULT '';
                ALTER TABLE image_stage ADD COLUMN virtual_size INTEGER;
                ALTER TABLE image_stage ADD COLUMN disk_format TEXT;
                ALTER TABLE image_stage ADD COLUMN container_format TEXT;
                CREATE TABLE image_import (
                  image_id TEXT NOT NULL REFERENCES image(id) ON DELETE CASCADE, store TEXT NOT NULL, blob_id TEXT NOT NULL,
                  PRIMARY KEY (image_id, store));
                CREATE INDEX image_import_blob ON image_import (blob_id);
                """),
            Migration(
                4, "copies of data that are kept near",
                """
                CREATE TABLE image_cache (
                  image_id TEXT PRIMARY KEY REFERENCES image(id) ON DELETE CASCADE, queued_at INTEGER NOT NULL, blob_id TEXT, size INTEGER,
                  cached_at INTEGER, read_at INTEGER, hits INTEGER NOT NULL);
                CREATE INDEX image_cache_blob ON image_cache (blob_id);
                """),
            Migration(
                5, "which definitions came with the cloud",
                "CREATE TABLE image_metadef_shipped (namespace TEXT PRIMARY KEY);"),
            .imageUsage(6),
        ])
}
