import CloudCore
import HTTPKit
import Resources
import SQL

/// The filter, the order and the page of images: the query of `GET /v2/images`.
struct ImageList: Sendable {
    static let standardLimit = 25
    static let mostLimit = Limits.list.page.most

    private(set) var limit = Self.standardLimit
    private var marker: ID<Kind.Image>?
    private var memberStatus: ImageMember.Status? = .accepted
    private var visibility: Image.Visibility?
    private var isOfAllVisibilities = false
    private var conditions = Conditions()
    private var order: [(column: String, ascending: Bool)] = []

    /// The SQL of the sort keys, which is never NULL.
    private static let orders: [String: String] = [
        "name": "coalesce(i.name, '')", "status": "(\(ImageStore.status))", "container_format": "coalesce(i.container_format, '')",
        "disk_format": "coalesce(i.disk_format, '')", "size": "coalesce(i.size, 0)", "id": "i.id", "created_at": "i.created_at",
        "updated_at": "i.updated_at",
    ]
    private static let words = [
        "name": "i.name", "id": "i.id", "status": "(\(ImageStore.status))", "container_format": "i.container_format",
        "disk_format": "i.disk_format",
    ]
    private static let texts = [
        "owner": "i.owner", "checksum": "i.checksum", "os_hash_algo": "i.hash_algorithm", "os_hash_value": "i.hash_value",
    ]
    private static let numbers = ["size": "i.size", "virtual_size": "i.virtual_size", "min_ram": "i.min_ram", "min_disk": "i.min_disk"]

    /// Parses the query.
    ///
    /// - Throws: `CloudError.badRequest`.
    init(_ query: Query) throws {
        var filters: [String: String] = [:]
        for (name, value) in query.items {
            switch name {
            case "limit": limit = try Self.limit(value)
            case "marker": marker = ID(value)
            case "member_status": memberStatus = try Self.memberStatus(value)
            case "tag":
                ImageConditions.addTag(String(value.drop { $0 == " " }), to: &conditions)
            case "sort", "sort_key", "sort_dir": break
            default: filters[name] = value
            }
        }
        let isHidden = try Self.flag("os_hidden", filters.removeValue(forKey: "os_hidden")?.lowercased() ?? "false")
        add("i.is_hidden = ?", [isHidden.sql])
        for (name, value) in filters.sorted(by: { $0.key < $1.key }) { try filter(name, value) }
        order = try Self.order(query)
    }

    /// Makes the list of the newest images that have these properties.
    init(newestWith properties: [String: String]) {
        add("i.is_hidden = ?", [false.sql])
        for (name, value) in properties.sorted(by: { $0.key < $1.key }) {
            ImageConditions.addProperty(name, value, to: &conditions)
        }
        order = [("i.created_at", false), ("i.id", false)]
    }

    /// Makes the list of the newest images with a name.
    init(named name: String) {
        add("i.is_hidden = ?", [false.sql])
        add("i.name = ?", [name.sql])
        order = [("i.created_at", false), ("i.id", false)]
    }

    // MARK: Filters

    private mutating func add(_ sql: String, _ arguments: [SQLValue]) { conditions.add(sql, arguments) }

    private mutating func filter(_ name: String, _ value: String) throws {
        switch name {
        case "visibility":
            isOfAllVisibilities = value == "all"
            visibility = Image.Visibility(rawValue: value)
            guard isOfAllVisibilities || visibility != nil else {
                throw CloudError.badRequest("Invalid visibility value: \(value.prefix(64))")
            }
        case "protected": add("i.is_protected = ?", [try Self.flag(name, value).sql])
        case "changes-since": throw CloudError.badRequest("The \"changes-since\" filter is no longer available on v2.")
        case "created_at", "updated_at": try filterTime(name, value)
        case _ where Self.words[name] != nil: try filterWord(Self.words[name] ?? "", value)
        case _ where Self.texts[name] != nil: add("\(Self.texts[name] ?? "") = ?", [value.sql])
        case _ where Self.numbers[name] != nil:
            if let number = Int64(value) { add("\(Self.numbers[name] ?? "") = ?", [number.sql]) } else { add("1 = 0", []) }
        default:
            if let column = Self.numbers[String(name.dropLast(4))], name.hasSuffix("_min") || name.hasSuffix("_max") {
                guard let number = Int64(value) else {
                    throw CloudError.badRequest("Unable to filter on a range with a non-numeric value.")
                }
                return add("\(column) \(name.hasSuffix("_min") ? ">=" : "<=") ?", [number.sql])
            }
            ImageConditions.addProperty(name, value, to: &conditions)
        }
    }

    /// Adds a filter such as `gte:2026-01-01T00:00:00Z`. Views show whole seconds, so all times within the shown second
    /// count as equal.
    private mutating func filterTime(_ name: String, _ value: String) throws {
        var (word, text) = ("eq", value)
        if Timestamp(isotime: value) == nil, let colon = value.firstIndex(of: ":") {
            (word, text) = (String(value[..<colon]), String(value[value.index(after: colon)...]))
        }
        guard let moment = Timestamp(isotime: text) else {
            throw CloudError.badRequest("Bad \"\(name)\" query filter format. Use ISO 8601 DateTime notation.")
        }
        let (first, next) = (moment.wholeSeconds.sql, (moment.wholeSeconds + .seconds(1)).sql)
        let column = "i.\(name)"
        switch word {
        case "gt": add("\(column) >= ?", [next])
        case "gte": add("\(column) >= ?", [first])
        case "lt": add("\(column) < ?", [first])
        case "lte": add("\(column) < ?", [next])
        case "eq": add("\(column) >= ? AND \(column) < ?", [first, next])
        case "neq": add("(\(column) < ? OR \(column) >= ?)", [first, next])
        default: throw CloudError.badRequest("Unable to filter on a unknown operator.")
        }
    }

    /// Adds a filter such as `queued` or `in:queued,active`.
    private mutating func filterWord(_ column: String, _ value: String) throws {
        // A value that is a time has colons, but no operator.
        guard let colon = value.firstIndex(of: ":"), Timestamp(isotime: value) == nil else { return add("\(column) = ?", [value.sql]) }
        let rest = String(value[value.index(after: colon)...])
        switch value[..<colon] {
        case "eq": add("\(column) = ?", [rest.sql])
        case "in":
            let words = try Self.listed(rest)
            add(words.isEmpty ? "1 = 0" : "\(column) IN (\(words.map { _ in "?" }.joined(separator: ", ")))", words.map(\.sql))
        case let word: throw CloudError.badRequest("Unable to filter by unknown operator '\(word.prefix(64))'.")
        }
    }

    /// Returns the values of a list with commas. A value in double quotes may contain commas, and a backslash before a
    /// character that stands for itself.
    static func listed(_ text: String) throws -> [String] {
        let malformed = CloudError.badRequest("Invalid filter value \(text.prefix(255)). The quote is not closed, or not alone.")
        var words: [String] = []
        var rest = Substring(text)
        while !rest.isEmpty {
            if rest.first == "\"" {
                rest = rest.dropFirst()
                var word = ""
                while let letter = rest.popFirst(), letter != "\"" {
                    word.append(letter == "\\" ? rest.popFirst() ?? letter : letter)
                    if rest.isEmpty { throw malformed }
                }
                guard rest.isEmpty || rest.first == "," else { throw malformed }
                words.append(word)
            } else {
                let word = rest.prefix { $0 != "," }
                guard !word.contains("\"") else { throw malformed }
                words.append(String(word))
                rest = rest.dropFirst(word.count)
            }
            rest = rest.dropFirst()
        }
        return words
    }

    private static func flag(_ name: String, _ value: String) throws -> Bool {
        guard value == "true" || value == "false" else {
            throw CloudError.badRequest("Invalid value '\(value.prefix(64))' for '\(name)' filter. Valid values are 'true' or 'false'.")
        }
        return value == "true"
    }

    private static func limit(_ text: String) throws -> Int {
        guard let limit = Int(text) else { throw CloudError.badRequest("limit param must be an integer") }
        guard limit >= 0 else { throw CloudError.badRequest("limit param must be positive") }
        return min(limit, mostLimit)
    }

    private static func memberStatus(_ text: String) throws -> ImageMember.Status? {
        if text == "all" { return nil }
        guard let status = ImageMember.Status(rawValue: text) else { throw CloudError.badRequest("Invalid status: \(text.prefix(64))") }
        return status
    }

    // MARK: Order

    /// Returns the order of `sort=name:asc,size`, or of any number of `sort_key` and `sort_dir`.
    private static func order(_ query: Query) throws -> [(column: String, ascending: Bool)] {
        let keys = query.items.filter { $0.name == "sort_key" }.map(\.value)
        let directions = query.items.filter { $0.name == "sort_dir" }.map(\.value)
        var wanted: [(key: String, direction: String)] = []
        var standard = "desc"
        if let sort = query["sort"] {
            guard keys.isEmpty, directions.isEmpty else { throw CloudError.badRequest("Old and new sorting syntax cannot be combined") }
            for part in sort.split(separator: ",", omittingEmptySubsequences: false) {
                let words = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map { $0.filter { $0 != " " } }
                wanted.append((words[0], words.count > 1 && !words[1].isEmpty ? words[1] : standard))
            }
        } else {
            guard directions.count < 2 || directions.count == max(keys.count, 1) else {
                throw CloudError.badRequest("Number of sort dirs does not match the number of sort keys")
            }
            if directions.count == 1 { standard = directions[0] }
            for (at, key) in (keys.isEmpty ? ["created_at"] : keys).enumerated() {
                wanted.append((key, directions.count > 1 ? directions[at] : standard))
            }
        }
        // The order must be total, because pages are cut by it.
        for key in ["created_at", "id"] where !wanted.contains(where: { $0.key == key }) { wanted.append((key, standard)) }
        let order: [(column: String, ascending: Bool)] = try wanted.map { key, direction in
            guard let column = orders[key] else {
                throw CloudError.badRequest(
                    "Invalid sort key: \(key.prefix(64)). It must be one of the following: \(orders.keys.sorted().joined(separator: ", ")).")
            }
            guard direction == "asc" || direction == "desc" else {
                throw CloudError.badRequest("Invalid sort direction: \(direction.prefix(64))")
            }
            return (column, direction == "asc")
        }
        return try Keyset.distinct(order)
    }

    // MARK: The page

    /// Returns the page, and whether there may be more images behind it.
    ///
    /// - Parameter most: the most characters of properties and tags for which the page is read.
    /// - Returns: nil if the page has more.
    func page(
        of store: ImageStore, most: Int, for onlooker: Onlooker, isAdmin: Bool, in tx: Transaction
    ) throws -> (images: [Image], hasMore: Bool)? {
        if limit == 0 { return ([], false) }
        var all = conditions
        if !isAdmin { ImageConditions.addReachable(onlooker, memberStatus, to: &all) }
        all.equal("i.visibility", visibility?.rawValue)
        if visibility == nil, !isOfAllVisibilities {
            // Community images are found only by their id or by a filter; lists show only the caller's own.
            all.add("i.visibility <> 'community' OR i.owner = ?", [onlooker.project.sql])
        }
        if let marker {
            guard let values = try store.values(order.map(\.column), of: marker, for: onlooker, in: tx) else {
                throw ImageAccess.missing(marker).asBadRequest
            }
            all.after(order, values)
        }
        let clause = "\(all.clause) \(Keyset.ordering(order)) LIMIT ?"
        let arguments = all.arguments + [limit.sql]
        return try store.page(clause, arguments, most: most, for: onlooker, in: tx).map { page in
            (page.images, page.isCut || page.images.count == limit)
        }
    }
}

extension CloudError {
    /// The error for something that a body or a query names.
    fileprivate var asBadRequest: CloudError { .badRequest(message) }
}
