import CloudCore
import HTTPKit
import Resources
import SQL

/// One of Networking's nouns: what all of them have besides their own fields.
protocol NetworkingResource: Resource {
    var standard: Standard { get set }
    /// `Network` of `NetworkNotFound`.
    static var typeName: String { get }
    /// How messages speak of one.
    static var spokenName: String { get }
    /// What clients filter by and no column is called: a service turns it into conditions of its own.
    static var otherFilters: Set<String> { get }
    /// Attributes that are sorted by what another field holds.
    static var sortedAs: [String: String] { get }
    /// Returns the text that rows have for what a filter says in another way.
    static func written(_ text: String, of field: String) -> String
    /// The most of a list's page, also for who asks for no pages; nil for no end: the rows are small.
    static var mostInPage: Int? { get }
    /// The quota that one counts against, if there is one.
    static var quota: String? { get }
    /// The path's last segment where it is not the list's key.
    static var segment: String { get }
    static var hasTags: Bool { get }
    /// Whether others may use it; nil for a noun that nobody shares.
    var sharing: Bool? { get }
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
    var projectID: String { standard.projectID }
}

/// The attributes that all nouns have.
struct Standard: Sendable, Equatable {
    /// Empty for what the cloud itself owns, as a router's gateway.
    var projectID = ""
    var description = ""
    fileprivate var created = Moment(Timestamp(microseconds: 0))
    fileprivate var updated = Moment(Timestamp(microseconds: 0))
    /// One more with every change.
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
    // Each type tells its own paths: those of the protocol lead to no place in the struct, but through functions.

    static func identity(_ path: any WritableKeyPath<Self, ID<Noun>> & Sendable) -> Field<Self> {
        Field(own: "id", path, filter: .exact)
    }

    static func name(
        _ path: any WritableKeyPath<Self, String> & Sendable, _ shape: Shape = .string(0...255), create: Field<Self>.OnCreate = .optional
    ) -> Field<Self> {
        Field("name", path, shape, create: create, filter: .exact)
    }

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
            fields.append(Field(unstored: "tags", of: path, \.listedTags, .array(.string(1...255, .any), 0...50), update: .unknown))
        }
        return fields
    }
}

/// A moment as Neutron writes it: whole seconds, with a Z.
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
    /// A list of ids, of which each is there once; null for none.
    static let uuids = Form(.nullable(.array(.uuid, unique: true))) { json in json.array?.compactMap(\.string) ?? [] }
}

extension Shape {
    static let uuid = Shape.string(36...36, .id)
    /// A list that may be left empty by a null, as Neutron takes it.
    static func list(_ most: Int = 10_000) -> Shape { .nullable(.array(.any, 0...most)) }
    /// A number that its owner checks.
    static let number = Shape.integer(Int64.min...Int64.max)
    static let address = Shape.string(1...64)

    /// Neutron takes truth and numbers as texts too.
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
