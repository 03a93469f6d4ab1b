import CloudCore
import SQL

/// The conditions and the order of a list of servers.
struct ServerQuery: Sendable {
    var filter = ServerFilter()
    /// Whether deleted servers are wanted; nil for both deleted and existing servers.
    var isDeleted: Bool? = false
    /// The wanted statuses, in capitals; nil for all. A status follows from the state and the unfinished workflows.
    var statuses: Set<String>?
    /// The conditions on values that have no column; all must hold.
    var tests: [@Sendable (Server) -> Bool] = []
    /// The conditions on values that are not in the row; all must hold.
    var viewTests: [@Sendable (ServerView) -> Bool] = []
    /// Ranges of addresses; each server of the list has one in each.
    var addresses: [TextRange] = []
    /// Whether only servers with an unfinished workflow are in the list.
    var needsTask = false
    /// The keys to sort by, each ascending or descending.
    var sort: [(key: String, ascending: Bool)] = []

    /// Whether the page is found without the documents of servers.
    var isOfColumns: Bool { tests.isEmpty && viewTests.isEmpty && columns != nil }

    /// Whether the page is found by looking at hardly more servers than it has.
    var isShort: Bool { isOfColumns && filter.namePart == nil && filter.namePatterns.isEmpty && statuses == nil }

    /// The tables of the wanted servers.
    var tables: [ServerTable] {
        switch isDeleted {
        case .some(true): [.archive]
        case .some(false): [.existing]
        case .none: [.existing, .archive]
        }
    }

    /// The order as columns of the database, which then orders the list; nil if a key has no column.
    var columns: ServerPages.Order? {
        var order: ServerPages.Order = []
        for (key, ascending) in sort {
            guard let column = ServerOrder.columns[key] else { return nil }
            order.append((column, ascending))
        }
        if !sort.contains(where: { $0.key == "created_at" }) { order.append((.createdAt, false)) }
        return order + [(.id, order.last?.ascending ?? false)]
    }

    /// Returns the requested page of the list, in order.
    ///
    /// - Parameter marker: the last server of the previous page. The server need not be in the list any longer.
    func page(of servers: [Server], after marker: Server?, limit: Int) -> [Server] {
        let precedes = precedes
        let sorted = servers.sorted(by: precedes)
        guard let marker else { return Array(sorted.prefix(limit)) }
        return Array(sorted.drop { !precedes(marker, $0) }.prefix(limit))
    }

    /// Returns a function that tells whether one server comes before another in the order of the list.
    private var precedes: @Sendable (Server, Server) -> Bool {
        var keys = sort
        if !keys.contains(where: { $0.key == "created_at" }) { keys.append(("created_at", false)) }
        keys.append(("uuid", keys.last?.ascending ?? false))
        let columns = keys.map { (value: ServerOrder.value($0.key), ascending: $0.ascending) }
        return { left, right in
            for column in columns {
                let (a, b) = (column.value(left), column.value(right))
                if a != b { return (a < b) == column.ascending }
            }
            return false
        }
    }
}

/// The keys by which servers can be sorted.
enum ServerOrder {
    static let keys: Set<String> = [
        "access_ip_v4", "access_ip_v6", "auto_disk_config", "availability_zone", "config_drive", "created_at", "display_description",
        "display_name", "host", "hostname", "image_ref", "instance_type_id", "kernel_id", "key_name", "launch_index", "launched_at",
        "locked_by", "node", "power_state", "progress", "project_id", "ramdisk_id", "root_device_name", "task_state", "terminated_at",
        "updated_at", "user_id", "uuid", "vm_state",
    ]
    /// The keys that are accepted and ignored.
    static let ignored: Set<String> = [
        "block_device_mapping", "deleted", "deleted_at", "extra_specs", "fault", "id", "info_cache", "locked", "metadata", "pci_devices",
        "security_groups", "services", "system_metadata", "tags", "name",
    ]

    static let columns: [String: ServerColumn] = [
        "created_at": .createdAt, "updated_at": .updatedAt, "display_name": .name, "project_id": .projectID, "user_id": .userID,
        "vm_state": .state, "uuid": .id, "host": .host, "node": .host, "image_ref": .imageID,
        "instance_type_id": .flavorID
    ]

    static func value(_ key: String) -> @Sendable (Server) -> String {
        func moment(_ at: Timestamp?) -> String { at?.iso8601Microseconds ?? "" }
        switch key {
        case "access_ip_v4": return { $0.accessIPv4 ?? "" }
        case "access_ip_v6": return { $0.accessIPv6 ?? "" }
        case "availability_zone": return { $0.pinnedZone ?? "" }
        case "config_drive": return { $0.hasConfigDrive ? "True" : "" }
        case "created_at": return { $0.createdAt.iso8601Microseconds }
        case "display_description": return { $0.description ?? "" }
        case "display_name": return { $0.name }
        case "host", "node": return { $0.host ?? "" }
        case "hostname": return { $0.hostname }
        case "image_ref": return { $0.image?.id.text ?? "" }
        case "instance_type_id": return { $0.flavor.id.text }
        case "key_name": return { $0.keyName ?? "" }
        case "launch_index": return { String(1_000_000 + $0.launchIndex) }
        case "launched_at": return { $0.launchedAt?.iso8601Microseconds ?? "" }
        case "locked_by": return { $0.lock?.holder.rawValue ?? "" }
        case "power_state": return { String($0.power.rawValue) }
        case "project_id": return { $0.projectID }
        case "root_device_name": return { $0.rootDevice }
        case "terminated_at": return { $0.endedAt?.iso8601Microseconds ?? "" }
        case "updated_at": return { $0.updatedAt.iso8601Microseconds }
        case "user_id": return { $0.userID }
        case "uuid": return { $0.id.text }
        case "vm_state": return { $0.state.rawValue }
        default: return { _ in "" }
        }
    }
}
