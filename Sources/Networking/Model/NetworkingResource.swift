import CloudCore
import HTTPKit
import Resources
import SQL

/// One of Networking's nouns, with everything that all of them share besides their own fields.
protocol NetworkingResource: Resource {
    var standard: Standard { get set }
    /// The noun's part of error codes: `Network` for `NetworkNotFound`.
    static var typeName: String { get }
    /// The name of the noun in messages.
    static var spokenName: String { get }
    /// The filters that are not columns; the noun's service turns each into conditions.
    static var otherFilters: Set<String> { get }
    /// The attributes that are sorted by another field, each with the name of that field.
    static var sortedAs: [String: String] { get }
    /// Returns the text that rows hold for a filter's text, which may be written in another way.
    static func written(_ text: String, of field: String) -> String
    /// The most rows of a page, also for a caller that asks for no pages; nil for no limit, since the rows are small.
    static var mostInPage: Int? { get }
    /// The quota that counts the noun's rows, if there is one.
    static var quota: String? { get }
    /// The last segment of the path; the default is the key of the list, with hyphens.
    static var segment: String { get }
    static var hasTags: Bool { get }
    /// Whether other projects may use the resource; nil for a noun that cannot be shared.
    var sharing: Bool? { get }
    /// Returns what a change of a row touches, for the hosts. Nothing by default, since hosts are told of few nouns.
    ///
    /// - Parameters:
    ///   - old: the row before, with its parts; nil for a new one.
    ///   - new: the row afterwards; nil for a deleted one.
    static func touches(from old: Self?, to new: Self?) -> Set<Touch>
}

extension NetworkingResource {
    static var spokenName: String { typeName }
    static var otherFilters: Set<String> { [] }
    static var sortedAs: [String: String] { ["tenant_id": "project_id"] }
    static func written(_ text: String, of field: String) -> String { text }
    static var mostInPage: Int? { nil }
    static var quota: String? { nil }
    static var segment: String { schema.plural.replacing("_", with: "-") }
    static var hasTags: Bool { true }
    var sharing: Bool? { nil }
    static func touches(from old: Self?, to new: Self?) -> Set<Touch> { [] }
    var projectID: String { standard.projectID }
}

/// The attributes that all nouns have.
struct Standard: Sendable, Equatable {
    /// The project that owns the resource; empty for one that the cloud itself owns, such as a router's gateway port.
    var projectID = ""
    var description = ""
    fileprivate var created = Moment(Timestamp(microseconds: 0))
    fileprivate var updated = Moment(Timestamp(microseconds: 0))
    /// The revision number; each change adds one.
    var revision: Int64 = 0
    var tags: [String] = []

    var createdAt: Timestamp {
        get { created.timestamp }
        set { created = Moment(newValue) }
    }
    var updatedAt: Timestamp {
        get { updated.timestamp }
        set { updated = Moment(newValue) }
    }
    fileprivate var listedTags: Listed<String> {
        get { Listed(tags) }
        set { tags = Array(Set(newValue.items)).sorted() }
    }
}

extension NetworkingResource {
    // Each type passes its own key paths: a path through the protocol's requirement cannot be resolved to a stored
    // property.

    static func identity(_ path: any WritableKeyPath<Self, ID<Noun>> & Sendable) -> Field<Self> {
        Field(own: "id", path, filter: .exact)
    }

    static func name(
        _ path: any WritableKeyPath<Self, String> & Sendable, _ shape: Shape = .string(0...255), create: Field<Self>.OnCreate = .optional
    ) -> Field<Self> {
        Field("name", path, shape, create: create, filter: .exact)
    }

    static var zoneHints: Shape { .array(.string(1...255), 0...Limits.thing.zoneHints.most, unique: true) }

    static func standardFields(_ path: any WritableKeyPath<Self, Standard> & Sendable, description: Bool = true) -> [Field<Self>] {
        var fields: [Field<Self>] = [
            Field("project_id", of: path, \.projectID, .string(0...255), update: .unknown, filter: .exact),
            Field("tenant_id", derived: { .string($0.standard.projectID) }),
            Field("created_at", of: path, \.created, .any, create: .unknown, update: .unknown, filter: .exact),
            Field("updated_at", of: path, \.updated, .any, create: .unknown, update: .unknown, filter: .exact),
            Field("revision_number", of: path, \.revision, .any, create: .unknown, update: .unknown, filter: .exact),
        ]
        if description { fields.append(Field("description", of: path, \.description, .string(0...255), filter: .exact)) }
        if hasTags {
            let tags = Shape.array(.string(1...255, .any), 0...Limits.thing.tags.most)
            fields.append(Field(unstored: "tags", of: path, \.listedTags, tags, update: .unknown))
        }
        return fields
    }
}

/// A point in time as Neutron writes it: whole seconds, with a Z.
struct Moment: FieldValue {
    let timestamp: Timestamp
    init(_ timestamp: Timestamp) { self.timestamp = timestamp }

    var json: JSON { .string(timestamp.iso8601Seconds) }
    init?(json: JSON) {
        guard let text = json.string, let timestamp = Timestamp(iso8601: text) else { return nil }
        self.timestamp = timestamp
    }
    var sql: SQLValue { timestamp.sql }
    init?(sql: SQLValue) {
        guard let timestamp = Timestamp(sql: sql) else { return nil }
        self.timestamp = timestamp
    }
    static var sqlNothing: String { "0" }
    static func sql(filter text: String) -> SQLValue? { Timestamp(iso8601: text)?.sql }
}

extension Form where Value == String {
    static let neutronID = Form(Shape.uuid) { $0.string }
}

extension Form where Value == [String] {
    /// The form of a list of distinct ids; null becomes an empty list.
    static let uuids = Form(.nullable(.array(.uuid, unique: true))) { json in json.array?.compactMap(\.string) ?? [] }
}

extension Shape {
    static let uuid = Shape.string(36...36, .id)
    /// Returns the shape of a list that may be null, as Neutron accepts it.
    static func list(_ most: Int = 10_000) -> Shape { .nullable(.array(.any, 0...most)) }
    /// An integer whose range the noun's service checks.
    static let number = Shape.integer(Int64.min...Int64.max)
    static let address = Shape.string(1...64)

    /// Returns the value with texts converted to booleans and numbers where the shape wants them, as Neutron does.
    func converted(_ value: JSON) -> JSON {
        switch (self, value) {
        case (.nullable(let shape), _) where !value.isNull: return shape.converted(value)
        case (.boolean, .string(let text)):
            switch text.lowercased() {
            case "true", "1": return true
            case "false", "0": return false
            default: return value
            }
        case (.boolean, .integer(0)): return false
        case (.boolean, .integer(1)): return true
        case (.integer, .string(let text)): return Int64(text).map(JSON.integer) ?? value
        default: return value
        }
    }
}
