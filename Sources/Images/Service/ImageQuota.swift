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
        let usage = ImageUsageStore(owner: owner)
        switch resource {
        case .sizeTotal: return try usage.bytes(in: tx) / mebibyte
        case .stageTotal: return try usage.stagedBytes(in: tx) / mebibyte
        case .countTotal: return try usage.images(in: tx)
        case .countUploading: return try usage.uploads(at: now, in: tx)
        }
    }
}

extension ImageQuota.Resource {
    var isSize: Bool { self == .sizeTotal || self == .stageTotal }
}
