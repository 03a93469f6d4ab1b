import Blobs
import CloudCore
import SQL

/// The viewer of an image, on whom parts of the result depend.
struct Onlooker: Sendable {
    /// The project of the caller; nil if it has none.
    let project: String?
    /// The present time. Leases that ended by then do not count.
    let now: Timestamp
}

/// The rows of images.
struct ImageStore: Sendable {
    /// The SQL of the present status of an image. No other place computes it.
    static let status = """
        CASE WHEN i.state <> 'queued' THEN i.state WHEN u.kind IS NOT NULL THEN u.kind WHEN s.image_id IS NOT NULL THEN 'uploading' \
        ELSE 'queued' END
        """
    private static let stored = """
        id, name, owner, visibility, is_protected, is_hidden, state, disk_format, container_format, min_ram, min_disk, size, virtual_size, \
        checksum, hash_algorithm, hash_value, created_at, updated_at
        """
    private static let select = """
        SELECT \(stored.split(separator: ", ").map { $0 == "state" ? status : "i.\($0)" }.joined(separator: ", ")), \
        CASE WHEN i.visibility = 'shared' AND EXISTS (SELECT 1 FROM image_member m WHERE m.image_id = i.id AND m.member_id = ?) \
        THEN 1 ELSE 0 END
        """
    private static let from = """
        FROM image i LEFT JOIN image_upload u ON u.image_id = i.id AND (u.expires_at IS NULL OR u.expires_at > ?) \
        LEFT JOIN image_stage s ON s.image_id = i.id
        """

    // MARK: Reading

    func find(_ id: ID<Kind.Image>, for onlooker: Onlooker, in tx: Transaction) throws -> Image? {
        try rows("WHERE i.id = ?", [id.sql], for: onlooker, in: tx).first
    }

    /// Returns images with all that belongs to them, by one query for the rows and one for the parts of each 32 images.
    ///
    /// - Parameter clause: the SQL behind `FROM`, over `i` (the image) and `status`.
    func rows(_ clause: String, _ arguments: [SQLValue], for onlooker: Onlooker, in tx: Transaction) throws -> [Image] {
        try page(clause, arguments, most: .max, for: onlooker, in: tx)?.images ?? []
    }

    /// Returns images as `rows` does, up to the most characters that the parts of a page's images may have.
    ///
    /// - Parameter most: the most characters for which the page is read.
    /// - Returns: the images, and whether some were left out; nil if the page has more than `most`.
    func page(
        _ clause: String, _ arguments: [SQLValue], most: Int, for onlooker: Onlooker, in tx: Transaction
    ) throws -> (images: [Image], isCut: Bool)? {
        let rows = try tx.rows("\(Self.select) \(Self.from) \(clause)", arguments: [onlooker.project.sql, onlooker.now.sql] + arguments)
        let all = try rows.map(Self.image)
        let weights = try weights(of: all, in: tx)
        var (weight, count) = (0, 0)
        while count < all.count, count == 0 || weight + (weights[all[count].id.text] ?? 0) <= ImageBounds.pageWeight {
            weight += weights[all[count].id.text] ?? 0
            count += 1
        }
        guard weight <= most else { return nil }
        var images: [Image] = []
        for start in stride(from: 0, to: count, by: Self.imagesInStatement) {
            images += try completed(Array(all[start..<min(start + Self.imagesInStatement, count)]), in: tx)
        }
        return (images, count < all.count)
    }

    /// Returns the characters of the properties and tags of each image.
    private func weights(of images: [Image], in tx: Transaction) throws -> [String: Int] {
        var weights: [String: Int] = [:]
        for start in stride(from: 0, to: images.count, by: Self.imagesInStatement) {
            let ids = images[start..<min(start + Self.imagesInStatement, images.count)].map(\.id.sql)
            let marks = "(\(ids.map { _ in "?" }.joined(separator: ", ")))"
            let sums = """
                SELECT image_id, sum(length(name) + length(value)) FROM image_property WHERE image_id IN \(marks)
                GROUP BY image_id UNION ALL
                SELECT image_id, sum(length(value)) FROM image_tag WHERE image_id IN \(marks) GROUP BY image_id
                """
            for row in try tx.rows(sums, arguments: ids + ids) {
                weights[try row.value(at: 0), default: 0] += try row.value(at: 1)
            }
        }
        return weights
    }

    private static let imagesInStatement = 250

    /// Returns the values of some columns of one image; nil if it does not exist.
    func values(_ columns: [String], of id: ID<Kind.Image>, for onlooker: Onlooker, in tx: Transaction) throws -> [SQLValue]? {
        try tx.rows("SELECT \(columns.joined(separator: ", ")) \(Self.from) WHERE i.id = ?", onlooker.now, id).first?.values
    }

    private func completed(_ images: [Image], in tx: Transaction) throws -> [Image] {
        guard !images.isEmpty else { return [] }
        let marks = "(\(images.map { _ in "?" }.joined(separator: ", ")))"
        let ids = images.map(\.id.sql)
        var images = images
        let places = Dictionary(uniqueKeysWithValues: images.enumerated().map { ($1.id.text, $0) })
        // One query reads all three kinds, because a query costs more than the few rows that it returns.
        let parts = """
            SELECT image_id, 'property' AS part, 0 AS place, name AS word, value, '' AS blob_id, '' AS metadata \
            FROM image_property WHERE image_id IN \(marks)
            UNION ALL SELECT image_id, 'tag', 0, value, '', '', '' FROM image_tag WHERE image_id IN \(marks)
            UNION ALL SELECT image_id, 'location', position, id, store, blob_id, metadata FROM image_location WHERE image_id IN \(marks)
            ORDER BY 2, 3, 4
            """
        for row in try tx.rows(parts, arguments: ids + ids + ids) {
            guard let at = places[try row.value(at: 0)] else { continue }
            let (part, word): (String, String) = (try row.value(at: 1), try row.value(at: 3))
            switch part {
            case "property": images[at].properties[word] = .string(try row.value(at: 4))
            case "tag": images[at].tags.append(word)
            default: images[at].locations.append(try Self.location(word, row, from: 4))
            }
        }
        return images
    }

    // MARK: Writing

    /// Stores a new image.
    ///
    /// - Throws: `SQLError.uniqueViolation` if the id is taken.
    func insert(_ image: Image, in tx: Transaction) throws {
        let values = Self.values(image)
        try tx.execute(
            "INSERT INTO image (\(Self.stored)) VALUES (\(values.map { _ in "?" }.joined(separator: ", ")))", arguments: values)
        try insertProperties(image.properties.members, of: image.id, in: tx)
        try insertTags(image.tags, of: image.id, in: tx)
        for (position, location) in image.locations.enumerated() {
            try insert(location, at: position, of: image.id, createdAt: image.createdAt, in: tx)
        }
    }

    /// Updates the row of an image, and replaces its properties, tags and locations if they differ from `old`. Its
    /// members stay.
    func update(_ image: Image, from old: Image, in tx: Transaction) throws {
        let names = Self.stored.split(separator: ", ")
        try tx.execute(
            "UPDATE image SET \(names.map { "\($0) = ?" }.joined(separator: ", ")) WHERE id = ?", arguments: Self.values(image) + [image.id.sql])
        if image.properties != old.properties {
            try tx.execute("DELETE FROM image_property WHERE image_id = ?", image.id)
            try insertProperties(image.properties.members, of: image.id, in: tx)
        }
        if image.tags != old.tags {
            try tx.execute("DELETE FROM image_tag WHERE image_id = ?", image.id)
            try insertTags(image.tags, of: image.id, in: tx)
        }
        if image.locations != old.locations {
            try tx.execute("DELETE FROM image_location WHERE image_id = ?", image.id)
            for (position, location) in image.locations.enumerated() {
                try insert(location, at: position, of: image.id, createdAt: image.updatedAt, in: tx)
            }
        }
    }

    /// Deletes an image. Returns whether it existed.
    func delete(_ id: ID<Kind.Image>, in tx: Transaction) throws -> Bool { try tx.execute("DELETE FROM image WHERE id = ?", id) > 0 }

    func setProperty(_ name: String, _ value: String?, of id: ID<Kind.Image>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM image_property WHERE image_id = ? AND name = ?", id, name)
        if let value { try insertProperties([(name, .string(value))], of: id, in: tx) }
    }

    private func insertProperties(_ properties: [(key: String, value: JSON)], of id: ID<Kind.Image>, in tx: Transaction) throws {
        guard !properties.isEmpty else { return }
        try tx.execute(
            "INSERT INTO image_property (image_id, name, value) VALUES \(properties.map { _ in "(?, ?, ?)" }.joined(separator: ", "))",
            arguments: properties.flatMap { [id.sql, $0.key.sql, ($0.value.string ?? "").sql] })
    }

    private func insertTags(_ tags: [String], of id: ID<Kind.Image>, in tx: Transaction) throws {
        let tags = Set(tags).sorted()
        guard !tags.isEmpty else { return }
        try tx.execute(
            "INSERT INTO image_tag (image_id, value) VALUES \(tags.map { _ in "(?, ?)" }.joined(separator: ", "))",
            arguments: tags.flatMap { [id.sql, $0.sql] })
    }

    private func insert(
        _ location: Image.Location, at position: Int, of id: ID<Kind.Image>, createdAt: Timestamp, in tx: Transaction
    ) throws {
        try tx.execute(
            "INSERT INTO image_location (id, image_id, position, store, blob_id, metadata, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
            location.id, id, position, location.store, location.blob.text, location.metadata, createdAt)
    }

    // MARK: Data

    /// Returns the checksum of data from another image with the same data; nil if no image has it.
    static func checksum(ofHash hash: String?, in tx: Transaction) throws -> String? {
        try tx.value("SELECT checksum FROM image WHERE hash_value = ? AND checksum IS NOT NULL LIMIT 1", hash)
    }

    /// Returns the places of an image's data, in the order in which they should be tried.
    func locations(of id: ID<Kind.Image>, in tx: Transaction) throws -> [Image.Location] {
        try tx.rows("SELECT id, store, blob_id, metadata FROM image_location WHERE image_id = ? ORDER BY position", id)
            .map { try Self.location($0.value(at: 0), $0, from: 1) }
    }

    /// Returns those of the blobs of a store that some image needs.
    func referenced(_ blobs: [ContentID], in store: String, _ tx: Transaction) throws -> Set<ContentID> {
        let marks = "(\(blobs.map { _ in "?" }.joined(separator: ", ")))"
        let arguments = [store.sql] + blobs.map(\.text.sql)
        let rows = try tx.rows(
            """
            SELECT blob_id FROM image_location WHERE store = ? AND blob_id IN \(marks)
            UNION SELECT blob_id FROM image_stage WHERE store = ? AND blob_id IN \(marks)
            UNION SELECT blob_id FROM image_import WHERE store = ? AND blob_id IN \(marks)
            """, arguments: arguments + arguments + arguments)
        return Set(try rows.compactMap { ContentID(try $0.value(at: 0)) })
    }

    // MARK: Mapping

    private static func values(_ image: Image) -> [SQLValue] {
        let state = Image.Status.stored.contains(image.status) ? image.status : .queued
        return [
            image.id.sql, image.name.sql, image.owner.sql, image.visibility.rawValue.sql, image.isProtected.sql, image.isHidden.sql,
            state.rawValue.sql, image.diskFormat.sql, image.containerFormat.sql, image.minRAM.sql, image.minDisk.sql, image.size.sql,
            image.virtualSize.sql, image.checksum.sql, image.hashAlgorithm.sql, image.hashValue.sql, image.createdAt.sql, image.updatedAt.sql,
        ]
    }

    private static func image(_ row: Row) throws -> Image {
        var image = Image(id: try row.value(at: 0), createdAt: try row.value(at: 16))
        image.name = try row.value(at: 1)
        image.owner = try row.value(at: 2)
        image.visibility = try word(row, 3)
        image.isProtected = try row.value(at: 4)
        image.isHidden = try row.value(at: 5)
        image.status = try word(row, 6)
        image.diskFormat = try row.value(at: 7)
        image.containerFormat = try row.value(at: 8)
        image.minRAM = try row.value(at: 9)
        image.minDisk = try row.value(at: 10)
        image.size = try row.value(at: 11)
        image.virtualSize = try row.value(at: 12)
        image.checksum = try row.value(at: 13)
        image.hashAlgorithm = try row.value(at: 14)
        image.hashValue = try row.value(at: 15)
        image.updatedAt = try row.value(at: 17)
        image.isSharedWithCaller = try row.value(at: 18)
        return image
    }

    /// Reads a location from a row.
    ///
    /// - Parameter position: the column of the store; the blob and the metadata follow it.
    private static func location(_ id: String, _ row: Row, from position: Int) throws -> Image.Location {
        guard let blob = ContentID(try row.value(at: position + 1)) else {
            throw SQLError.misuse("image_location.blob_id is none")
        }
        return Image.Location(id: id, store: try row.value(at: position), blob: blob, metadata: try row.value(at: position + 2))
    }

    /// Returns the value of a column that holds a word of an enumeration.
    static func word<Word: RawRepresentable>(_ row: Row, _ position: Int) throws -> Word where Word.RawValue == String {
        let text: String = try row.value(at: position)
        guard let word = Word(rawValue: text) else { throw SQLError.misuse("'\(text)' is no \(Word.self)") }
        return word
    }
}
