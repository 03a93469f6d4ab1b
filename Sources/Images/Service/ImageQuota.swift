import CloudCore
import SQL

/// How much of something a project has, counted from the rows, against how much it may have.
struct ImageQuota: Sendable {
    /// The names under which limits are registered.
    enum Resource: String, Sendable, CaseIterable {
        /// MiB of data, once for each store that has it.
        case sizeTotal = "image_size_total"
        /// MiB of data that waits for its import.
        case stageTotal = "image_stage_total"
        case countTotal = "image_count_total"
        /// Images that are being filled.
        case countUploading = "image_count_uploading"
    }

    let limits: any ImageLimits

    private static let mebibyte: Int64 = 1 << 20

    /// Refuses what would be too much.
    ///
    /// - Parameters:
    ///   - asked: of what is counted, so many more; of sizes, so many bytes more.
    ///   - owner: whose it is; what is nobody's is not limited.
    /// - Throws: `tooLarge`, as the Image API has it.
    func require(_ resource: Resource, _ asked: Int64, of owner: String?, at now: Timestamp, in tx: Transaction) throws {
        guard let owner, let limit = try limits.limits(of: owner, in: tx)[resource.rawValue], limit >= 0 else { return }
        let used = try Self.used(resource, by: owner, at: now, in: tx)
        let more = resource.isSize ? asked / Self.mebibyte : asked
        guard used + more > limit else { return }
        throw CloudError(
            .tooLarge, "Project \(owner) is over a limit: it has \(used) of \(resource.rawValue), asks for \(more) more, and may have \(limit).")
    }

    /// What a project uses of each, and may use.
    func usage(of project: String, at now: Timestamp, in tx: Transaction) throws -> [(resource: Resource, used: Int64, limit: Int64)] {
        let limits = try limits.limits(of: project, in: tx)
        return try Resource.allCases.map { ($0, try Self.used($0, by: project, at: now, in: tx), limits[$0.rawValue] ?? -1) }
    }

    private static func used(_ resource: Resource, by owner: String, at now: Timestamp, in tx: Transaction) throws -> Int64 {
        let count: Int64? =
            switch resource {
            case .sizeTotal:
                try tx.value(
                    "SELECT CAST(coalesce(sum(i.size), 0) AS BIGINT) FROM image i JOIN image_location l ON l.image_id = i.id WHERE i.owner = ?",
                    owner)
            case .stageTotal:
                try tx.value(
                    "SELECT CAST(coalesce(sum(s.size), 0) AS BIGINT) FROM image i JOIN image_stage s ON s.image_id = i.id WHERE i.owner = ?", owner)
            case .countTotal: try tx.value("SELECT count(*) FROM image WHERE owner = ?", owner)
            case .countUploading:
                try tx.value(
                    """
                    SELECT count(*) FROM image i WHERE i.owner = ? AND (
                      EXISTS (SELECT 1 FROM image_upload u WHERE u.image_id = i.id AND (u.expires_at IS NULL OR u.expires_at > ?))
                      OR EXISTS (SELECT 1 FROM image_stage s WHERE s.image_id = i.id))
                    """, owner, now)
            }
        return resource.isSize ? (count ?? 0) / mebibyte : count ?? 0
    }
}

extension ImageQuota.Resource {
    var isSize: Bool { self == .sizeTotal || self == .stageTotal }
}
