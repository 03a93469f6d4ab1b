import CloudCore
import HTTPKit
import HostModel

/// The query of lists of servers: its shape and its meaning.
enum ServerListWire {
    private static let closedSince = 75
    private static let tagsSince = 26
    private static let beforeSince = 66
    private static let lockedSince = 73
    /// The first microversion in which every caller has the filters of `everybodysLater`.
    private static let moreFiltersSince = 83

    private static let names = [
        "access_ip_v4", "access_ip_v6", "all_tenants", "auto_disk_config", "availability_zone", "block_device_mapping", "config_drive",
        "created_at", "deleted", "description", "display_description", "display_name", "flavor", "host", "hostname", "image", "image_ref",
        "info_cache", "ip", "ip6", "kernel_id", "key_name", "launch_index", "launched_at", "locked_by", "metadata", "name", "node",
        "pci_devices", "power_state", "progress", "project_id", "ramdisk_id", "reservation_id", "root_device_name", "security_groups",
        "services", "soft_deleted", "status", "system_metadata", "task_state", "tenant_id", "terminated_at", "user_id", "uuid", "vm_state",
        "not-tags", "not-tags-any", "tags", "tags-any", "locked",
    ]
    /// The names of the reference's joined tables. No caller can filter by them.
    private static let joined: Set<String> = ["block_device_mapping", "info_cache", "metadata", "pci_devices", "security_groups", "services", "system_metadata"]

    static let shape = QueryShape(
        QueryShape.paged + names.map { ($0, Shape.any) } + [
            ("changes-since", .string(0...64, .dateTime)), ("changes-before", .string(0...64, .dateTime)),
            ("sort_key", .oneOf((ServerOrder.keys.union(ServerOrder.ignored)).sorted())), ("sort_dir", .oneOf(["asc", "desc"])),
        ], closedSince: closedSince)

    private static let everybodys: Set<String> = [
        "reservation_id", "name", "status", "image", "flavor", "ip", "changes-since", "all_tenants", "limit", "marker", "sort_key", "sort_dir",
    ]
    private static let everybodysLater: Set<String> = [
        "availability_zone", "config_drive", "key_name", "created_at", "launched_at", "terminated_at", "power_state", "task_state",
        "vm_state", "progress", "user_id", "hostname", "description",
    ]

    private static func isAllowed(_ name: String, _ call: ComputeCall, _ isAdmin: Bool) -> Bool {
        if isAdmin || everybodys.contains(name) { return true }
        switch name {
        case "ip6": return call.minor >= 5
        case "tags", "tags-any", "not-tags", "not-tags-any": return call.minor >= tagsSince
        case "changes-before": return call.minor >= beforeSince
        case "locked": return call.minor >= lockedSince
        default: return call.minor >= moreFiltersSince && everybodysLater.contains(name)
        }
    }

    /// Returns the query; nil if no server can match.
    ///
    /// - Throws: `badRequest` for a wrong value; `forbidden` for a list that only administrators may have.
    static func query(_ call: ComputeCall, detailed: Bool) throws -> ServerQuery? {
        let isAdmin = call.caller.may(.allFilters)
        var query = ServerQuery()
        if let wrong = call.call.query.items.first(where: { joined.contains($0.name) || $0.name.hasPrefix("_") }), isAdmin {
            throw CloudError.badRequest("Invalid filter field: \(wrong.name.prefix(60)).")
        }
        func value(_ name: String) -> String? { isAllowed(name, call, isAdmin) ? call.query(name) : nil }
        guard try statuses(call, &query) else { return nil }
        try times(value, &query)
        if let text = value("deleted"), isAdmin { query.isDeleted = Truth.strict(text) ?? false }
        if query.filter.states == [.deleted] {
            guard isAdmin else { throw CloudError.forbidden("Only administrators may list deleted instances") }
            (query.isDeleted, query.filter.states) = (true, nil)
        }
        try owners(call, value, detailed, &query)
        try conditions(value, call, &query)
        query.sort = try sort(call, isAdmin)
        return query
    }

    private static func statuses(_ call: ComputeCall, _ query: inout ServerQuery) throws -> Bool {
        let words = call.call.query.items.filter { $0.name == "status" }.map(\.value)
        guard !words.isEmpty else { return true }
        let states = words.compactMap(ServerStatus.states(of:))
        guard !states.isEmpty else {
            if call.minor >= 38 { throw CloudError.badRequest("Invalid status value") }
            return false
        }
        var wantedStates = states.reduce(into: Set<VMState>()) { $0.formUnion($1) }
        // A server that is shown in error may have a row that says building.
        if wantedStates.contains(.error) { wantedStates.insert(.building) }
        query.filter.states = wantedStates
        let wanted = Set(words.map { $0.uppercased() })
        if wanted != ["DELETED"] {
            query.statuses = wanted
            query.needsTask = wanted.isSubset(of: ServerStatus.ofTasks)
        }
        return true
    }

    private static func times(_ value: (String) -> String?, _ query: inout ServerQuery) throws {
        let changes = try ChangeWindow(since: value("changes-since"), before: value("changes-before"))
        (query.filter.changedSince, query.filter.changedBefore) = (changes.since, changes.before)
        // A caller who asks for changes also gets the deleted servers.
        if query.filter.changedSince != nil || query.filter.changedBefore != nil { query.isDeleted = nil }
    }

    private static func owners(
        _ call: ComputeCall, _ value: (String) -> String?, _ detailed: Bool, _ query: inout ServerQuery
    ) throws {
        var all = false
        if let text = call.query("all_tenants") {
            guard text.isEmpty || Truth.strict(text) != nil else {
                throw CloudError.badRequest("Invalid value '\(text.prefix(60))' for all_tenants: Unrecognized value")
            }
            all = text.isEmpty || Truth.strict(text) == true
        }
        guard all else {
            query.filter.projectID = call.caller.projectID
            query.filter.userID = value("user_id")
            return
        }
        try call.caller.require(detailed ? .detailAllServers : .listAllServers)
        query.filter.projectID = value("project_id") ?? value("tenant_id")
        query.filter.userID = value("user_id")
    }

    private static func conditions(_ value: (String) -> String?, _ call: ComputeCall, _ query: inout ServerQuery) throws {
        query.filter.imageID = value("image") ?? value("image_ref")
        query.filter.flavorID = value("flavor").map { $0.split(separator: "/").last.map(String.init) ?? $0 }
        query.filter.host = value("host") ?? value("node")
        query.filter.ids = value("uuid").map { [$0] }
        if let state = value("vm_state") { query.filter.states = Set([VMState(rawValue: state)].compactMap(\.self)) }
        func test(_ name: String, _ check: @escaping @Sendable (Server, String) -> Bool) {
            guard let text = value(name) else { return }
            query.tests.append { check($0, text) }
        }
        try names(value, &query)
        for name in ["description", "display_description"] {
            guard let text = value(name) else { continue }
            let pattern = try NamePattern(text)
            query.tests.append { pattern.isFound(in: $0.description ?? "") }
        }
        test("reservation_id") { $0.reservationID == $1 }
        test("key_name") { $0.keyName == $1 }
        test("hostname") { $0.hostname == $1 }
        test("availability_zone") { $0.pinnedZone == $1 }
        test("config_drive") { $0.hasConfigDrive == (Truth.strict($1) ?? false) }
        test("power_state") { String($0.power.rawValue) == $1 }
        test("launch_index") { String($0.launchIndex) == $1 }
        test("root_device_name") { $0.rootDevice == $1 }
        test("access_ip_v4") { ($0.accessIPv4 ?? "") == $1 }
        test("access_ip_v6") { ($0.accessIPv6 ?? "") == $1 }
        test("locked_by") { $0.lock?.holder.rawValue == $1 }
        test("created_at") { $0.createdAt.wholeSeconds == Timestamp(isotime: $1)?.wholeSeconds }
        if let text = value("locked") {
            guard let wanted = Truth.strict(text) else { throw CloudError.badRequest("Invalid value '\(text.prefix(60))' for locked.") }
            query.tests.append { ($0.lock != nil) == wanted }
        }
        if let text = value("task_state") {
            query.viewTests.append { $0.task == text }
            query.needsTask = !text.isEmpty
        }
        try addresses(value, &query)
        tags(value, &query)
    }

    private static func addresses(_ value: (String) -> String?, _ query: inout ServerQuery) throws {
        for (name, version) in [("ip", 4), ("ip6", 6)] {
            guard let text = value(name) else { continue }
            let pattern = try NamePattern(text)
            if let range = pattern.range { query.addresses.append(range) }
            query.viewTests.append { view in
                view.ports.contains { $0.addresses.contains { $0.version == version && pattern.isFound(in: $0.text) } }
            }
        }
    }

    /// Takes conditions on the name. The database checks a whole name, a beginning or a part. Any other pattern is
    /// tested on names.
    private static func names(_ value: (String) -> String?, _ query: inout ServerQuery) throws {
        for text in ["name", "display_name"].compactMap(value) {
            let pattern = try NamePattern(text)
            if query.filter.name == nil, let range = pattern.range {
                query.filter.name = range
            } else if query.filter.namePart == nil, let part = pattern.part {
                query.filter.namePart = part
            } else {
                query.filter.namePatterns.append(pattern)
            }
        }
    }

    private static func tags(_ value: (String) -> String?, _ query: inout ServerQuery) {
        func tags(_ name: String) -> Set<String>? { value(name).map { Set($0.split(separator: ",").map(String.init)) } }
        let wanted = ServerTagFilter(
            all: tags("tags"), any: tags("tags-any"), notAll: tags("not-tags"), notAny: tags("not-tags-any"))
        query.filter.tags = wanted
        // The archive has no rows of tags.
        if query.isDeleted != false, !wanted.isEmpty { query.tests.append { wanted.lets($0.tags) } }
    }

    private static func sort(_ call: ComputeCall, _ isAdmin: Bool) throws -> [(key: String, ascending: Bool)] {
        let keys = call.call.query.items.filter { $0.name == "sort_key" }.map(\.value)
        let directions = call.call.query.items.filter { $0.name == "sort_dir" }.map { $0.value == "asc" }
        if directions.count > keys.count, !keys.isEmpty { throw CloudError.badRequest("Sort direction size exceeds sort key size") }
        guard !keys.isEmpty else { return [(key: "created_at", ascending: directions.first ?? false)] }
        return try keys.enumerated().compactMap { place, key in
            if ServerOrder.ignored.contains(key) { return nil }
            if !isAdmin, ["host", "node"].contains(key) {
                throw CloudError.forbidden("Only administrators can sort servers by \(key)")
            }
            return (key: key, ascending: place < directions.count ? directions[place] : directions.last ?? false)
        }
    }
}
