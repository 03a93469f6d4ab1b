import SQL

extension Schema {
    /// The tables of Compute.
    static let compute = Schema(
        service: "compute",
        [
            Migration(
                1, "flavors, key pairs, groups, hosts, servers",
                """
                CREATE TABLE compute_number (name TEXT PRIMARY KEY, last INTEGER NOT NULL);

                CREATE TABLE compute_flavor (
                  id TEXT PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL, ram INTEGER NOT NULL, vcpus INTEGER NOT NULL,
                  disk INTEGER NOT NULL, ephemeral INTEGER NOT NULL, swap INTEGER NOT NULL, rxtx_factor DOUBLE PRECISION NOT NULL,
                  is_public INTEGER NOT NULL, description TEXT, extra_specs TEXT NOT NULL,
                  created_at INTEGER NOT NULL, updated_at INTEGER);
                CREATE UNIQUE INDEX compute_flavor_name ON compute_flavor (name);
                CREATE TABLE compute_flavor_access (
                  flavor_id TEXT NOT NULL REFERENCES compute_flavor(id), project_id TEXT NOT NULL, PRIMARY KEY (flavor_id, project_id));
                CREATE INDEX compute_flavor_access_project ON compute_flavor_access (project_id);

                CREATE TABLE compute_key_pair (
                  user_id TEXT NOT NULL, name TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, public_key TEXT NOT NULL,
                  fingerprint TEXT NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (user_id, name));

                CREATE TABLE compute_server_group (
                  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT NOT NULL, policy TEXT NOT NULL,
                  most_per_host INTEGER, created_at INTEGER NOT NULL);
                CREATE INDEX compute_server_group_project ON compute_server_group (project_id);

                CREATE TABLE compute_aggregate (
                  number INTEGER PRIMARY KEY, id TEXT NOT NULL, name TEXT NOT NULL, metadata TEXT NOT NULL, created_at INTEGER NOT NULL,
                  updated_at INTEGER);
                CREATE UNIQUE INDEX compute_aggregate_name ON compute_aggregate (name);
                CREATE TABLE compute_aggregate_host (
                  aggregate_number INTEGER NOT NULL REFERENCES compute_aggregate(number), host TEXT NOT NULL,
                  PRIMARY KEY (aggregate_number, host));
                CREATE INDEX compute_aggregate_host_host ON compute_aggregate_host (host);
                CREATE TABLE compute_host (
                  name TEXT PRIMARY KEY, number INTEGER NOT NULL, service_id TEXT NOT NULL, is_disabled INTEGER NOT NULL,
                  disabled_reason TEXT, is_forced_down INTEGER NOT NULL);

                CREATE TABLE compute_quota (
                  project_id TEXT NOT NULL, user_id TEXT NOT NULL, resource TEXT NOT NULL, most INTEGER NOT NULL,
                  PRIMARY KEY (project_id, user_id, resource));
                CREATE TABLE compute_quota_class (
                  name TEXT NOT NULL, resource TEXT NOT NULL, most INTEGER NOT NULL, PRIMARY KEY (name, resource));

                CREATE TABLE compute_server (
                  id TEXT PRIMARY KEY, number INTEGER NOT NULL, project_id TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT NOT NULL,
                  vm_state TEXT NOT NULL, host TEXT, image_id TEXT, flavor_id TEXT NOT NULL, flavor_name TEXT NOT NULL,
                  vcpus INTEGER NOT NULL, ram INTEGER NOT NULL, disk INTEGER NOT NULL, group_id TEXT, generation INTEGER NOT NULL,
                  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, launched_at INTEGER, details TEXT NOT NULL);
                CREATE INDEX compute_server_project ON compute_server (project_id, created_at);
                CREATE INDEX compute_server_host ON compute_server (host);
                CREATE INDEX compute_server_group_member ON compute_server (group_id);
                CREATE INDEX compute_server_updated ON compute_server (updated_at);
                CREATE TABLE compute_server_archive (
                  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, user_id TEXT NOT NULL, name TEXT NOT NULL, flavor_name TEXT NOT NULL,
                  vcpus INTEGER NOT NULL, ram INTEGER NOT NULL, disk INTEGER NOT NULL, vm_state TEXT NOT NULL, launched_at INTEGER,
                  ended_at INTEGER NOT NULL, details TEXT NOT NULL);
                CREATE INDEX compute_server_archive_ended ON compute_server_archive (ended_at);
                CREATE INDEX compute_server_archive_project ON compute_server_archive (project_id, ended_at);

                CREATE TABLE compute_migration (
                  number INTEGER PRIMARY KEY, id TEXT NOT NULL, server_id TEXT NOT NULL, project_id TEXT NOT NULL, user_id TEXT NOT NULL,
                  kind TEXT NOT NULL, status TEXT NOT NULL, source TEXT, destination TEXT, old_flavor INTEGER NOT NULL,
                  new_flavor INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
                CREATE INDEX compute_migration_server ON compute_migration (server_id);
                CREATE UNIQUE INDEX compute_migration_id ON compute_migration (id);
                """),
            // The indexes are for frequent queries: each report of a host looks for its evacuations, and each choice of
            // a host counts the servers on their way there.
            Migration(
                2, "second hosts of servers, and evacuations that have left something",
                """
                ALTER TABLE compute_server ADD COLUMN other_host TEXT;
                CREATE INDEX compute_server_other_host ON compute_server (other_host) WHERE other_host IS NOT NULL;
                CREATE INDEX compute_migration_evacuated ON compute_migration (source) WHERE kind = 'evacuation' AND status = 'done';
                """),
            .computeUsage(3), .computeLists(4), .serverVolumes(5), .computeNames(6),
            Migration(
                7, "the part of a host's disk that a server takes",
                "ALTER TABLE compute_server ADD COLUMN disk_on_host INTEGER;"),
        ])
}
