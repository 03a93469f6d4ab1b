import SQL

extension Ledger {
    /// The usage of Images by projects: images, and bytes of data in stores and of data that waits for its import.
    static let images = Ledger("image_usage", Tally.images)
}

extension Tally {
    static let images = [
        Tally(of: "image", owners: [.project("row.owner")], [.use("images")], where: "row.owner IS NOT NULL"),
        Tally(
            of: "image_location", owners: [.project("row.owner")], [.use("bytes", "row.size")],
            where: "row.owner IS NOT NULL AND row.size > 0"),
        Tally(
            of: "image_stage", owners: [.project("row.owner")], [.use("staged_bytes", "row.size")],
            where: "row.owner IS NOT NULL"),
    ]
}

extension Migration {
    /// A tally is of one table. So triggers carry the owner of an image, and the size of its data, to the rows of the
    /// data; there they are still at hand when the image is deleted and its rows with it.
    static func imageUsage(_ number: Int) -> Migration {
        let image = "(SELECT %s FROM image WHERE image.id = NEW.image_id)"
        let (owner, size) = (image.replacing("%s", with: "owner"), image.replacing("%s", with: "size"))
        func carry(_ name: String, _ event: SchemaScript.Event, _ table: String, _ statements: String) -> SchemaScript {
            .trigger(name, after: event, on: table, SchemaScript(statements))
        }
        return Migration(
            number, "usage that the database keeps",
            SchemaScript(columns)
                + carry(
                    "image_location_owned", .insert, "image_location",
                    "UPDATE image_location SET owner = \(owner), size = \(size) WHERE id = NEW.id;")
                + carry(
                    "image_stage_owned", .insert, "image_stage",
                    "UPDATE image_stage SET owner = \(owner) WHERE image_id = NEW.image_id;")
                + carry(
                    "image_changed_hands", .update(["owner", "size"]), "image",
                    """
                    UPDATE image_location SET owner = NEW.owner, size = NEW.size WHERE image_id = NEW.id;
                    UPDATE image_stage SET owner = NEW.owner WHERE image_id = NEW.id;
                    """)
                + Ledger.creation(of: "image_usage", Tally.images))
    }

    private static let columns = """
        ALTER TABLE image_location ADD COLUMN owner TEXT;
        ALTER TABLE image_location ADD COLUMN size INTEGER;
        ALTER TABLE image_stage ADD COLUMN owner TEXT;
        UPDATE image_location SET owner = (SELECT owner FROM image WHERE image.id = image_id),
          size = (SELECT size FROM image WHERE image.id = image_id);
        UPDATE image_stage SET owner = (SELECT owner FROM image WHERE image.id = image_id);
        """
}
