import CloudCore
import SQL

/// The filters of a list as its query has them, and the rules of which caller may use which.
struct ListFilters: Sendable {
    private(set) var items: [(name: String, value: String)]
    private let caller: Caller

    /// The first minor versions that refuse a filter which is not enabled, and that find parts of texts.
    static let strictSince = 31
    static let partsSince = 34

    /// The filters that users may use, for each kind of thing (the reference's `resource_filters.json`).
    static let enabled: [(resource: String, names: [String])] = [
        (
            "volume",
            [
                "name", "status", "metadata", "bootable", "migration_status", "availability_zone", "group_id", "size",
                "created_at", "updated_at", "consumes_quota",
            ]
        ),
        ("backup", ["name", "status", "volume_id"]),
        ("snapshot", ["name", "status", "volume_id", "metadata", "availability_zone", "consumes_quota"]),
        ("group", ["name"]), ("group_snapshot", ["name", "status", "group_id"]),
        ("attachment", ["volume_id", "status", "instance_id", "attach_status"]),
        ("message", ["resource_uuid", "resource_type", "event_id", "request_id", "message_level"]),
        ("pool", ["name", "volume_type"]), ("volume_type", ["is_public", "extra_specs"]),
    ]

    /// Takes the filters that the caller may use.
    ///
    /// - Parameters:
    ///   - resource: the kind of thing.
    ///   - older: the names that users of older minor versions may use; nil for the enabled ones.
    ///   - strictSince: the first minor version that refuses filters which are not enabled.
    /// - Throws: `CloudError.badRequest`.
    init(
        _ items: [(name: String, value: String)], of resource: String, older: [String]? = nil,
        strictSince: Int = ListFilters.strictSince, by caller: Caller
    ) throws {
        self.caller = caller
        self.items = items
        let enabled = Self.enabled.first { $0.resource == resource }?.names ?? []
        guard caller.minor >= strictSince else {
            let known = older ?? enabled
            if !caller.isAdministrator { self.items = items.filter { known.contains($0.name) } }
            return
        }
        guard items.allSatisfy({ $0.name.utf8.allSatisfy { $0 < 128 } }) else {
            throw CloudError.badRequest("Filter keys can only contain ASCII characters.")
        }
        if caller.isAdministrator, resource != "pool" { return }
        let wrong = items.map(\.name).filter { !enabled.contains($0) }
        // The reference's client always sends `all_tenants`.
        self.items.removeAll { $0.name == "all_tenants" && !caller.isAdministrator }
        let refused = wrong.filter { $0 != "all_tenants" }
        guard refused.isEmpty else {
            throw CloudError.badRequest("Invalid filters \(refused.joined(separator: ",")) are found in query options.")
        }
    }

    /// Takes the filters of a list that every caller may search by everything.
    init(_ items: [(name: String, value: String)], by caller: Caller) {
        self.caller = caller
        self.items = items
    }

    /// Takes a filter out, and returns its value.
    mutating func take(_ name: String) -> String? {
        guard let at = items.firstIndex(where: { $0.name == name }) else { return nil }
        return items.remove(at: at).value
    }

    mutating func drop(_ names: [String]) { items.removeAll { names.contains($0.name) } }

    /// Takes out a filter whose value is a truth value; false if it is missing.
    mutating func takeTruth(_ name: String) throws -> Bool { try takeOptionalTruth(name) ?? false }

    mutating func takeOptionalTruth(_ name: String) throws -> Bool? {
        guard let text = take(name) else { return nil }
        switch text.lowercased() {
        case "t", "true", "on", "y", "yes", "1": return true
        case "f", "false", "off", "n", "no", "0": return false
        default: throw CloudError.badRequest("Value '\(text.prefix(255))' for '\(name)' is not a boolean.")
        }
    }

    /// Returns the project whose things are listed; nil for all, which only administrators may list.
    mutating func takeProject() throws -> String? {
        let isAll = try takeTruth("all_tenants")
        return isAll && caller.isAdministrator ? nil : caller.projectID
    }

    // MARK: Columns

    /// Returns the filters that are left, by columns.
    ///
    /// - Parameter isStrict: whether a truth value must be one of the usual words.
    func columns(_ known: [String: ListColumn], isStrict: Bool = true) throws -> RowFilter {
        var found = RowFilter()
        for (name, value) in items {
            if name.hasSuffix("~"), caller.minor >= Self.partsSince {
                if let column = known[String(name.dropLast())], column.kind == .text {
                    found.contain.append((column.column, value))
                } else {
                    found.isEmpty = true
                }
                continue
            }
            guard let column = known[name] else {
                found.isEmpty = true
                continue
            }
            switch column.kind {
            case .text: found.equal.append((column.column, value == "None" ? .null : value.sql))
            case .truth: found.equal.append((column.column, try Self.truth(name, value, isStrict: isStrict).sql))
            case .number:
                if let number = Int(value) {
                    found.equal.append((column.column, number.sql))
                } else {
                    found.isEmpty = true
                }
            case .time:
                if let time = Timestamp(isotime: value) {
                    found.equal.append((column.column, time.sql))
                } else {
                    found.isEmpty = true
                }
            }
        }
        return found
    }

    private static func truth(_ name: String, _ text: String, isStrict: Bool) throws -> Bool {
        guard isStrict else { return !["False", "false", "FALSE", ""].contains(text) }
        switch text.lowercased() {
        case "t", "true", "on", "y", "yes", "1": return true
        case "f", "false", "off", "n", "no", "0": return false
        default: throw VolumeRefusal.input("'\(name) = \(text.prefix(255))'")
        }
    }
}
