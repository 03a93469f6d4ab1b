import SQL

extension Migration {
    /// The tables of metadata definitions. Names are unique by constraint, so two callers that create the same thing at
    /// once cannot both succeed. The contents of a namespace are deleted with it. The resource types of OpenStack's own
    /// services exist from the start, with the time of this step.
    static let metadefs = Migration(
        2, "metadata definitions",
        """
        CREATE TABLE image_metadef_namespace (
          id TEXT PRIMARY KEY, namespace TEXT NOT NULL, display_name TEXT, description TEXT, visibility TEXT NOT NULL,
          protected INTEGER NOT NULL, owner TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
        CREATE UNIQUE INDEX image_metadef_namespace_name ON image_metadef_namespace (namespace);
        CREATE INDEX image_metadef_namespace_owner ON image_metadef_namespace (owner);

        CREATE TABLE image_metadef_resource_type (
          name TEXT PRIMARY KEY, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
        INSERT INTO image_metadef_resource_type (name, created_at, updated_at) VALUES
          ('OS::Cinder::Volume', 1795219200000000, 1795219200000000), ('OS::Glance::Image', 1795219200000000, 1795219200000000),
          ('OS::Nova::Aggregate', 1795219200000000, 1795219200000000), ('OS::Nova::Flavor', 1795219200000000, 1795219200000000),
          ('OS::Nova::Server', 1795219200000000, 1795219200000000);

        CREATE TABLE image_metadef_association (
          id TEXT PRIMARY KEY, namespace_id TEXT NOT NULL REFERENCES image_metadef_namespace(id) ON DELETE CASCADE,
          name TEXT NOT NULL REFERENCES image_metadef_resource_type(name), position INTEGER NOT NULL,
          created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, prefix TEXT, properties_target TEXT);
        CREATE UNIQUE INDEX image_metadef_association_name ON image_metadef_association (namespace_id, name);
        CREATE INDEX image_metadef_association_type ON image_metadef_association (name);

        CREATE TABLE image_metadef_property (
          id TEXT PRIMARY KEY, namespace_id TEXT NOT NULL REFERENCES image_metadef_namespace(id) ON DELETE CASCADE,
          name TEXT NOT NULL, position INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
          definition TEXT NOT NULL);
        CREATE UNIQUE INDEX image_metadef_property_name ON image_metadef_property (namespace_id, name);

        CREATE TABLE image_metadef_object (
          id TEXT PRIMARY KEY, namespace_id TEXT NOT NULL REFERENCES image_metadef_namespace(id) ON DELETE CASCADE,
          name TEXT NOT NULL, position INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL,
          description TEXT, required TEXT NOT NULL, properties TEXT NOT NULL);
        CREATE UNIQUE INDEX image_metadef_object_name ON image_metadef_object (namespace_id, name);

        CREATE TABLE image_metadef_tag (
          id TEXT PRIMARY KEY, namespace_id TEXT NOT NULL REFERENCES image_metadef_namespace(id) ON DELETE CASCADE,
          name TEXT NOT NULL, position INTEGER NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL);
        CREATE UNIQUE INDEX image_metadef_tag_name ON image_metadef_tag (namespace_id, name);
        """)
}
