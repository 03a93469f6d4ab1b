import SQL

extension Schema {
    /// Placement's tables. Standard resource classes and traits are part of the binary; the tables hold only the custom
    /// ones. Used amounts are counted from the allocations and stored nowhere else.
    static let placement = Schema(
        service: "placement",
        [
            Migration(
                1, "everything of 1.39",
                """
                CREATE TABLE placement_resource_class (
                  name TEXT PRIMARY KEY, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
                CREATE TABLE placement_trait (name TEXT PRIMARY KEY, created_at INTEGER NOT NULL);

                CREATE TABLE placement_provider (
                  id TEXT PRIMARY KEY, name TEXT NOT NULL, generation INTEGER NOT NULL,
                  parent_id TEXT REFERENCES placement_provider(id), root_id TEXT NOT NULL,
                  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
                CREATE UNIQUE INDEX placement_provider_name ON placement_provider (name);
                CREATE INDEX placement_provider_parent ON placement_provider (parent_id);
                CREATE INDEX placement_provider_root ON placement_provider (root_id);

                CREATE TABLE placement_provider_trait (
                  provider_id TEXT NOT NULL REFERENCES placement_provider(id) ON DELETE CASCADE, trait TEXT NOT NULL,
                  PRIMARY KEY (provider_id, trait));
                CREATE INDEX placement_provider_trait_trait ON placement_provider_trait (trait);
                CREATE TABLE placement_provider_aggregate (
                  provider_id TEXT NOT NULL REFERENCES placement_provider(id) ON DELETE CASCADE, aggregate_id TEXT NOT NULL,
                  PRIMARY KEY (provider_id, aggregate_id));

                CREATE TABLE placement_inventory (
                  provider_id TEXT NOT NULL REFERENCES placement_provider(id) ON DELETE CASCADE, resource_class TEXT NOT NULL,
                  total INTEGER NOT NULL, reserved INTEGER NOT NULL, min_unit INTEGER NOT NULL, max_unit INTEGER NOT NULL,
                  step_size INTEGER NOT NULL, allocation_ratio DOUBLE PRECISION NOT NULL,
                  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (provider_id, resource_class));
                CREATE INDEX placement_inventory_class ON placement_inventory (resource_class);

                CREATE TABLE placement_consumer (
                  id TEXT PRIMARY KEY, project_id TEXT NOT NULL, user_id TEXT NOT NULL, type TEXT, generation INTEGER NOT NULL);
                CREATE INDEX placement_consumer_project ON placement_consumer (project_id);
                CREATE TABLE placement_allocation (
                  consumer_id TEXT NOT NULL REFERENCES placement_consumer(id), provider_id TEXT NOT NULL, resource_class TEXT NOT NULL,
                  used INTEGER NOT NULL, created_at INTEGER NOT NULL, PRIMARY KEY (consumer_id, provider_id, resource_class),
                  FOREIGN KEY (provider_id, resource_class)
                    REFERENCES placement_inventory(provider_id, resource_class) ON UPDATE CASCADE);
                CREATE INDEX placement_allocation_inventory ON placement_allocation (provider_id, resource_class);
                """)
        ])
}
