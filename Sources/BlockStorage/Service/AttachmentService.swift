import Access
import CloudCore
import SQL

/// The attachments of the API since 3.27.
struct AttachmentService: Sendable {
    let volumes: VolumeService
    private let attachments = AttachmentStore()
    private let rules: AttachmentRules
    private var context: BlockStorageContext { volumes.context }

    init(volumes: VolumeService) {
        self.volumes = volumes
        rules = AttachmentRules(world: volumes.context.world)
    }

    // MARK: Finding

    func get(_ id: ID<VolumeAttachment>, by caller: Caller) async throws -> VolumeAttachment {
        try await context.read { tx in try attachments.require(id, by: caller, in: tx) }
    }

    func list(_ query: ListRequest, by caller: Caller) async throws -> [VolumeAttachment] {
        var filters = try ListFilters(
            query.filters, of: "attachment", older: ["volume_id", "status", "instance_id", "attach_status"], by: caller)
        let isAll = filters.take("all_tenants") != nil && caller.isAdministrator
        var filter = AttachmentStore.Filter(projectID: isAll ? nil : caller.projectID)
        filter.volumeID = filters.take("volume_id")
        filter.serverID = filters.take("instance_id") ?? filters.take("instance_uuid")
        filter.status = filters.take("attach_status") ?? filters.take("status")
        filter.isEmpty = !filters.items.isEmpty
        let page = try RowPage(query.page, by: query.sort, ListColumn.attachments)
        return try await context.read { [filter] tx in try attachments.page(filter, page, in: tx) }
    }

    // MARK: Making

    /// The attachment that a user asks for.
    struct Wish: Sendable {
        var volumeID = ""
        var serverID: String?
        var connector: JSONObject?
        var mode: String?
    }

    func create(_ wish: Wish, by caller: Caller) async throws -> VolumeAttachment {
        try await context.write { tx in
            let volume = try volumes.require(ID(wish.volumeID), by: caller, in: tx)
            try caller.require(.createAttachment, of: volume.projectID)
            if volume.isMultiattach, volume.status == .inUse, volume.isBootable {
                try caller.require(.multiattachBootable, of: volume.projectID)
            }
            let new = try rules.reserve(
                volume, for: wish.serverID.map { ID($0) }, mode: wish.mode ?? "null", isServers: false, in: tx)
            guard let connector = wish.connector, !connector.isEmpty else { return new }
            let reserved = try volumes.volumes.require(volume.id, in: tx)
            return try rules.connect(new, connector, of: reserved, in: tx)
        }
    }

    // MARK: Changing

    func update(_ id: ID<VolumeAttachment>, _ connector: JSONObject, by caller: Caller) async throws -> VolumeAttachment
    {
        try await context.write { tx in
            let old = try attachments.require(id, by: caller, in: tx)
            try caller.require(.updateAttachment, of: old.projectID)
            let volume = try volumes.require(old.volumeID, by: caller, in: tx)
            guard !volume.status.isError else {
                throw VolumeRefusal.conflict(
                    "Volume attachments can not be updated if the volume is in an error state. The Volume \(volume.id) "
                        + "currently has a status of: \(volume.status.rawValue) ")
            }
            let others = try attachments.list(of: volume.id, in: tx).filter { $0.id != old.id }
            if !volume.isMultiattach, others.contains(where: { $0.isConnected && $0.serverID != old.serverID }) {
                throw VolumeRefusal.conflict("duplicate connectors detected on volume \(volume.id)")
            }
            return try rules.connect(old, connector, of: volume, in: tx)
        }
    }

    func complete(_ id: ID<VolumeAttachment>, by caller: Caller) async throws {
        try await context.write { tx in
            let old = try attachments.require(id, by: caller, in: tx)
            let volume = try volumes.require(old.volumeID, by: caller, in: tx)
            try caller.require(.completeAttachment, of: old.projectID)
            try rules.complete(old, of: volume, in: tx)
        }
    }

    /// Ends an attachment. One that a server uses is ended by Compute alone.
    ///
    /// - Returns: the attachments that the volume still has.
    func delete(_ id: ID<VolumeAttachment>, by caller: Caller) async throws -> [VolumeAttachment] {
        try await context.write { tx in
            let old = try attachments.require(id, by: caller, in: tx)
            try caller.require(.deleteAttachment, of: old.projectID)
            try rules.requireEndable(old)
            let volume = try volumes.volumes.require(old.volumeID, in: tx)
            return try rules.end(old, of: volume, in: tx)
        }
    }
}
