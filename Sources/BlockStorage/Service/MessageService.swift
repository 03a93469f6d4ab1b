import CloudCore
import SQL

/// The messages that tell users why accepted actions failed.
struct MessageService: Sendable {
    let context: BlockStorageContext
    private let messages = MessageStore()

    private func require(_ id: ID<VolumeMessage>, by caller: Caller, in tx: Transaction) throws -> VolumeMessage {
        guard let message = try messages.find(id, in: tx), caller.sees(message.projectID) else {
            throw VolumeMessage.missing(id)
        }
        return message
    }

    func get(_ id: ID<VolumeMessage>, by caller: Caller) async throws -> VolumeMessage {
        try await context.read { tx in
            let message = try require(id, by: caller, in: tx)
            try caller.require(.getMessage, of: message.projectID)
            return message
        }
    }

    /// The first minor version whose lists have filters, an order and pages.
    private static let pagesSince = 5

    func list(_ query: ListRequest, by caller: Caller) async throws -> [VolumeMessage] {
        try caller.require(.listMessages)
        var query = query
        if caller.minor < Self.pagesSince { query = ListRequest(filters: []) }
        var filters = try ListFilters(
            query.filters, of: "message", older: ["resource_uuid", "resource_type", "event_id", "request_id"],
            by: caller)
        var filter = MessageStore.Filter(projectID: caller.projectID)
        filters.drop(["all_tenants"])
        // Every message tells of an error.
        if let level = filters.take("message_level"), level != "ERROR" { filter.isEmpty = true }
        for (name, value) in filters.items {
            if let column = ListColumn.messages[name], column.kind == .text {
                filter.equal.append((column.column, value))
            } else {
                filter.isEmpty = true
            }
        }
        let page = try RowPage(query.page, by: query.sort, ListColumn.messages)
        return try await context.read { [filter] tx in try messages.page(filter, page, in: tx) }
    }

    func delete(_ id: ID<VolumeMessage>, by caller: Caller) async throws {
        try await context.write { tx in
            let message = try require(id, by: caller, in: tx)
            try caller.require(.deleteMessage, of: message.projectID)
            try messages.delete(id, in: tx)
        }
    }
}
