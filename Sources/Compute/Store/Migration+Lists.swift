import SQL

extension Migration {
    /// The indexes behind lists of servers, migrations and usage. Each begins with the columns that a list is narrowed
    /// by and ends with the columns of its usual order, so a page is one stretch of it.
    ///
    /// The tags and the columns of deleted servers are read from the documents of older rows. PostgreSQL cannot read
    /// the character NUL in a document.
    static func computeLists(_ number: Int) -> Migration {
        let document = "replace(details, '\\u0000', '\\ufffd')::json"
        return Migration(
            number, "lists by index",
            SchemaScript(tables)
                + SchemaScript(
                    sqlite: """
                        INSERT INTO compute_server_tag (server_id, tag)
                          SELECT DISTINCT s.id, t.value FROM compute_server s, json_each(s.details, '$.tags') t;
                        UPDATE compute_server_archive SET created_at = json_extract(details, '$.createdAt'),
                          host = json_extract(details, '$.host'), image_id = json_extract(details, '$.image.id'),
                          flavor_id = json_extract(details, '$.flavor.id');
                        """,
                    postgreSQL: """
                        INSERT INTO compute_server_tag (server_id, tag)
                          SELECT DISTINCT s.id, t.value FROM (SELECT id, \(document) AS whole FROM compute_server) s,
                            json_array_elements_text(s.whole -> 'tags') AS t(value);
                        UPDATE compute_server_archive SET created_at = (\(document) ->> 'createdAt')::BIGINT,
                          host = \(document) ->> 'host', image_id = \(document) #>> '{image,id}',
                          flavor_id = \(document) #>> '{flavor,id}';
                        """)
                + SchemaScript(indexes))
    }

    /// Puts names behind the usual order of lists. A brief list then reads one index and no table, and so does a search
    /// of names.
    ///
    /// SQLite prefers an index with all columns of a query, and the later one of two that look equal. So the index of
    /// names gets the id, and that of users is made again behind that of projects.
    static func computeNames(_ number: Int) -> Migration {
        Migration(
            number, "names in the order of lists",
            """
            DROP INDEX compute_server_project;
            CREATE INDEX compute_server_project ON compute_server (project_id, created_at, id, name);
            DROP INDEX compute_server_created;
            CREATE INDEX compute_server_created ON compute_server (created_at, id, name);
            DROP INDEX compute_server_user;
            CREATE INDEX compute_server_user ON compute_server (user_id, created_at, id);
            DROP INDEX compute_server_name;
            CREATE INDEX compute_server_name ON compute_server (name, project_id, id);
            """)
    }

    private static let tables = """
        CREATE TABLE compute_server_tag (
          server_id TEXT NOT NULL REFERENCES compute_server(id) ON DELETE CASCADE, tag TEXT NOT NULL,
          PRIMARY KEY (server_id, tag));
        CREATE INDEX compute_server_tag_tag ON compute_server_tag (tag);
        ALTER TABLE compute_server_archive ADD COLUMN created_at INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE compute_server_archive ADD COLUMN host TEXT;
        ALTER TABLE compute_server_archive ADD COLUMN image_id TEXT;
        ALTER TABLE compute_server_archive ADD COLUMN flavor_id TEXT NOT NULL DEFAULT '';
        """

    private static let indexes = """
        DROP INDEX compute_server_project;
        CREATE INDEX compute_server_project ON compute_server (project_id, created_at, id);
        CREATE INDEX compute_server_created ON compute_server (created_at, id);
        CREATE INDEX compute_server_project_state ON compute_server (project_id, vm_state, created_at, id);
        CREATE INDEX compute_server_state ON compute_server (vm_state, created_at, id);
        CREATE INDEX compute_server_project_image ON compute_server (project_id, image_id, created_at, id);
        CREATE INDEX compute_server_image ON compute_server (image_id, created_at, id);
        CREATE INDEX compute_server_project_flavor ON compute_server (project_id, flavor_id, created_at, id);
        CREATE INDEX compute_server_flavor ON compute_server (flavor_id, created_at, id);
        CREATE INDEX compute_server_user ON compute_server (user_id, created_at, id);
        CREATE INDEX compute_server_name ON compute_server (name, project_id);
        CREATE INDEX compute_server_project_updated ON compute_server (project_id, updated_at);
        CREATE INDEX compute_server_launched ON compute_server (launched_at, id);
        CREATE INDEX compute_server_archive_created ON compute_server_archive (created_at, id);
        CREATE INDEX compute_server_archive_project_created ON compute_server_archive (project_id, created_at, id);
        CREATE INDEX compute_migration_created ON compute_migration (created_at, number);
        CREATE INDEX compute_migration_project ON compute_migration (project_id, created_at, number);
        CREATE INDEX compute_migration_status ON compute_migration (status, created_at, number);
        CREATE INDEX compute_migration_source ON compute_migration (source);
        CREATE INDEX compute_migration_destination ON compute_migration (destination);
        """
}
