import CloudCore
import SQL

/// The conditions of lists of images that look into other tables: SQL over an image `i`.
enum ImageConditions {
    static func addTag(_ tag: String, to conditions: inout Conditions) {
        conditions.add("EXISTS (SELECT 1 FROM image_tag t WHERE t.image_id = i.id AND t.value = ?)", [tag.sql])
    }

    static func addProperty(_ name: String, _ value: String, to conditions: inout Conditions) {
        conditions.add(
            "EXISTS (SELECT 1 FROM image_property p WHERE p.image_id = i.id AND p.name = ? AND p.value = ?)",
            [name.sql, value.sql])
    }

    /// Adds that a caller reaches the image.
    ///
    /// - Parameter memberStatus: the project's answer to images that are shared with it; nil for any answer.
    static func addReachable(
        _ onlooker: Onlooker, _ memberStatus: ImageMember.Status?, to conditions: inout Conditions
    ) {
        guard let project = onlooker.project else { return conditions.add("i.visibility IN ('public', 'community')") }
        var member = "SELECT 1 FROM image_member m WHERE m.image_id = i.id AND m.member_id = ?"
        var arguments = [project.sql, project.sql]
        if let memberStatus {
            member += " AND m.status = ?"
            arguments.append(memberStatus.rawValue.sql)
        }
        conditions.add(
            """
            i.visibility IN ('public', 'community') OR i.owner = ? OR (i.visibility = 'shared' AND EXISTS (\(member)))
            """, arguments)
    }
}
