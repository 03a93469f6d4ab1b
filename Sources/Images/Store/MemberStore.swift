import CloudCore
import SQL

/// The rows of the projects that images are shared with.
struct MemberStore: Sendable {
    private static let columns = "image_id, member_id, status, created_at, updated_at"

    /// Returns the members of an image.
    ///
    /// - Parameter only: the only member to return; nil for all.
    func all(of id: ID<Kind.Image>, only member: String? = nil, in tx: Transaction) throws -> [ImageMember] {
        let filter = member == nil ? "" : " AND member_id = ?"
        let rows = try tx.rows(
            "SELECT \(Self.columns) FROM image_member WHERE image_id = ?\(filter) ORDER BY created_at, member_id",
            arguments: [id.sql] + (member.map { [$0.sql] } ?? []))
        return try rows.map { row in
            ImageMember(
                imageID: try row.value(at: 0), memberID: try row.value(at: 1), status: try ImageStore.word(row, 2),
                createdAt: try row.value(at: 3), updatedAt: try row.value(at: 4))
        }
    }

    /// Adds a member. Returns false if it exists already.
    func insert(_ member: ImageMember, in tx: Transaction) throws -> Bool {
        try tx.execute(
            "INSERT INTO image_member (\(Self.columns)) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            member.imageID, member.memberID, member.status.rawValue, member.createdAt, member.updatedAt) == 1
    }

    func update(_ member: ImageMember, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE image_member SET status = ?, updated_at = ? WHERE image_id = ? AND member_id = ?",
            member.status.rawValue, member.updatedAt, member.imageID, member.memberID)
    }

    func delete(_ member: String, of id: ID<Kind.Image>, in tx: Transaction) throws {
        try tx.execute("DELETE FROM image_member WHERE image_id = ? AND member_id = ?", id, member)
    }
}
