import CloudCore
import SQL

/// The quotas of images: the usage of a project against its limits.
struct ImageQuota: Sendable {
    /// The resources that are limited, with the names of their limits.
    enum Resource: String, Sendable, CaseIterable {
        /// MiB of data, counted once for each store that has it.
        case sizeTotal = "image_size_total"
        /// MiB of data that waits for its import.
        case stageTotal = "image_stage_total"
        case countTotal = "image_count_total"
        /// The number of images that are being filled.
        case countUploading = "image_count_uploading"
    }

    let limits: any ImageLimits

    private static let mebibyte: Int64 = 1 << 20

    /// Checks that a request stays within the limit.
    ///
    /// - Parameters:
    ///   - asked: the additional amount: bytes for a size, otherwise a number.
    ///   - owner: the owner; without an owner there is no limit.
    /// - Throws: `tooLarge`, as in the Image API.
    func require(_ resource: Resource, _ asked: Int64, of owner: String?, at now: Timestamp, in tx: Transaction) throws {
        guard let owner else { return }
        let registered = try limits.limits(of: owner, in: tx)[resource.rawValue]
        guard let limit = registered ?? resource.bound, limit >= 0 else { return }
        let used = try Self.used(resource, by: owner, at: now, in: tx)
        let more = resource.isSize ? asked / Self.mebibyte : asked
        guard used + more > limit else { return }
        throw CloudError(
            .tooLarge, "Project \(owner) is over a limit: it has \(used) of \(resource.rawValue), asks for \(more) more, and may have \(limit).")
    }

    /// Returns the usage and the limit of a project for each resource.
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

    /// The limit where the operator has registered none; nil for no limit. No answer shows it.
    var bound: Int64? { self == .countTotal ? Int64(Limits.owner.images.most) : nil }
}
