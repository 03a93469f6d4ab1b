package import CloudCore
package import HTTPKit
package import SQL

/// One of an API's uniform nouns: a struct, and one description of its fields from which all else follows: which bodies
/// are taken, what is stored, what may be filtered and sorted by, what is shown.
package protocol Resource: Sendable {
    /// What its ids are ids of.
    associatedtype Noun = Self
    /// What is true of a new one before its caller said anything.
    init()
    /// The public id.
    var id: ID<Noun> { get set }
    /// What callers stored in it that the API has no name for; stays empty where the schema is closed.
    var extra: JSONObject { get set }
    static var schema: ResourceSchema<Self> { get }
}

extension Resource {
    package var extra: JSONObject {
        get { [:] }
        set {}
    }
}

/// The description of a resource.
package struct ResourceSchema<R: Resource>: Sendable {
    /// `user`: the key of a body, and the word in policies (`identity:get_user`).
    package let singular: String
    /// `users`: the key of a list, and the segment of the URL.
    package let plural: String
    package let table: String
    package let fields: [Field<R>]
    /// Whether members that have no field are kept and shown (`extra`), or refused.
    package let isOpen: Bool
    let create: Shape
    let update: Shape
    let stored: [Field<R>]
    /// The statements of its table.
    let statements: TableStatements
    /// How the values of a row get to their places.
    let columns: [StoredColumn]

    package init(_ singular: String, _ plural: String, table: String, open: Bool = false, _ fields: [Field<R>]) {
        self.singular = singular
        self.plural = plural
        self.table = table
        self.fields = fields
        isOpen = open
        create = .object(
            fields.filter { $0.create != .unknown }.map { .init($0.name, $0.shape, required: $0.create == .required) }, open: open)
        update = .object(fields.filter { $0.update != .unknown }.map { .init($0.name, $0.shape) }, open: open)
        stored = fields.filter { $0.column != nil }
        statements = TableStatements(table, columns: stored.compactMap(\.column) + (open ? ["extra"] : []))
        columns = stored.map(\.storedColumn)
    }

    package func field(_ name: String) -> Field<R>? { fields.first { $0.name == name } }

    /// What a body of a `POST` and of a `PATCH` may be: for tests that feed them every wrong thing.
    package var shapes: (create: Shape, update: Shape) { (create, update) }
}

/// One field of a resource.
///
/// A class, for it is never changed: every row of every list walks all of them, and a copy of a struct would keep each closure anew.
package final class Field<R: Sendable>: Sendable {
    /// Whether the body that makes one may have the field.
    package enum OnCreate: Sendable { case required, optional, unknown }
    /// Whether the body that changes one may.
    package enum OnUpdate: Sendable {
        case allowed
        /// It may be repeated, not changed.
        case fixed
        case unknown
    }
    package enum Shown: Sendable {
        case always, never
        /// Left out of the view when it is null.
        case whenSet
    }
    package enum Filter: Sendable {
        case none, exact
        /// Also `name__contains`, `name__icontains`, `…startswith`, `…endswith` and their like.
        case text
    }

    package let name: String
    /// The name as a view writes it.
    private let key: [UInt8]
    package let shape: Shape
    package let create: OnCreate
    package let update: OnUpdate
    package let filter: Filter
    package let shown: Shown
    package let column: String?
    /// The SQL that lists are sorted by.
    package let order: String?
    /// What a filter in a URL stands for; nil where no value of the field is written so.
    package let sqlFilter: @Sendable (String) -> SQLValue?
    /// Whether there is a body that sets it.
    var isSettable: Bool { create != .unknown || update == .allowed }
    private let place: Place<R>
    private let setter: @Sendable (inout R, JSON) -> Bool

    private init(
        plain name: String, _ shape: Shape = .any, create: OnCreate = .unknown, update: OnUpdate = .unknown, filter: Filter = .none,
        shown: Shown = .always, column: String? = nil, order: String? = nil,
        sqlFilter: @escaping @Sendable (String) -> SQLValue? = { _ in nil }, place: Place<R>,
        setter: @escaping @Sendable (inout R, JSON) -> Bool = { _, _ in true }
    ) {
        self.name = name
        key = JSONWriter.writtenKey(name)
        self.shape = shape
        self.create = create
        self.update = update
        self.filter = filter
        self.shown = shown
        self.column = column
        self.order = order
        self.sqlFilter = sqlFilter
        self.place = place
        self.setter = setter
    }

    package func json(_ resource: R) -> JSON { withUnsafePointer(to: resource) { place.json($0) } }
    func sql(_ resource: R) -> SQLValue { withUnsafePointer(to: resource) { place.sql($0) } }
    package func setJSON(_ resource: inout R, _ json: JSON) -> Bool { setter(&resource, json) }

    fileprivate var storedColumn: StoredColumn { StoredColumn(field: name, offset: place.offset, take: place.access.take) }
    fileprivate var shownMember: ShownMember {
        ShownMember(key: key, isLeftOutWhenNull: shown == .whenSet, offset: place.offset, json: place.access.json)
    }

    private static func setter<Value: FieldValue>(
        _ set: @escaping @Sendable (inout R, Value) -> Void
    ) -> @Sendable (inout R, JSON) -> Bool {
        { resource, json in
            guard let value = Value(json: json) else { return false }
            set(&resource, value)
            return true
        }
    }

    /// A field that is stored in a column, of its own name unless another is given.
    package convenience init<Value: FieldValue>(
        _ name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, filter: Filter = .none, shown: Shown = .always, column: String? = nil
    ) {
        self.init(
            name, Value.self, shape, create, update, filter, shown, column ?? name, Place(path), Self.setter { $0[keyPath: path] = $1 })
    }

    /// A field that is stored in a column, and that a part of the resource has.
    package convenience init<Part, Value: FieldValue>(
        _ name: String, of part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable, _ shape: Shape,
        create: OnCreate = .optional, update: OnUpdate = .allowed, filter: Filter = .none, shown: Shown = .always
    ) {
        self.init(
            name, Value.self, shape, create, update, filter, shown, name, Place(part, path),
            Self.setter { $0[keyPath: part][keyPath: path] = $1 })
    }

    private convenience init<Value: FieldValue>(
        _ name: String, _: Value.Type, _ shape: Shape, _ create: OnCreate, _ update: OnUpdate, _ filter: Filter, _ shown: Shown,
        _ column: String, _ place: Place<R>, _ setter: @escaping @Sendable (inout R, JSON) -> Bool
    ) {
        self.init(
            plain: name, shape, create: create, update: update, filter: filter, shown: shown, column: column,
            order: "coalesce(\(column), \(Value.sqlNothing))", sqlFilter: { Value.sql(filter: $0) }, place: place, setter: setter)
    }

    /// The same of a field that the resource's service stores in its own way.
    package convenience init<Part, Value: FieldValue>(
        unstored name: String, of part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable,
        _ shape: Shape, create: OnCreate = .optional, update: OnUpdate = .allowed
    ) {
        self.init(
            plain: name, shape, create: create, update: update, place: Place(part, path), setter: Self.setter { $0[keyPath: part][keyPath: path] = $1 })
    }

    /// A field that is shown, and made from others.
    package convenience init(_ name: String, derived: @escaping @Sendable (R) -> JSON) { self.init(plain: name, place: Place(derived: derived)) }

    /// A field that a body may have and a view shows, and that the resource's service stores in its own way: sealed, or in a
    /// table of its own.
    package convenience init<Value: FieldValue>(
        unstored name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, shown: Shown = .always
    ) {
        self.init(
            plain: name, shape, create: create, update: update, shown: shown, place: Place(path), setter: Self.setter { $0[keyPath: path] = $1 })
    }

    /// A field that a body may have and that the resource's service itself reads: a password, a hint.
    package convenience init(input name: String, _ shape: Shape, create: OnCreate = .optional, update: OnUpdate = .allowed) {
        self.init(plain: name, shape, create: create, update: update, shown: .never, place: Place { _ in .null })
    }
}

extension Field where R: Resource {
    /// A field of an open schema that has no column: it is checked, and kept with what the API has no name for.
    package convenience init(extra name: String, _ shape: Shape) {
        self.init(
            plain: name, shape, create: .optional, update: .allowed, shown: .whenSet, place: Place { $0.extra[name] ?? .null },
            setter: { resource, json in
                resource.extra[name] = json
                return true
            })
    }
}

// MARK: - Bodies and views

extension ResourceSchema {
    /// A new resource from the body of a `POST`.
    ///
    /// - Throws: `CloudError.badRequest` that names the member.
    package func new(from body: JSONObject) throws -> (resource: R, given: JSONObject) {
        let given = try Shape.unwrap(body, singular, create)
        var resource = R()
        try apply(given, to: &resource)
        return (resource, given)
    }

    /// What the body of a `PATCH` changes.
    ///
    /// - Throws: `CloudError.badRequest` that names the member, also when nothing is to be changed.
    package func changes(from body: JSONObject) throws -> JSONObject {
        let given = try Shape.unwrap(body, singular, update)
        guard !given.isEmpty else { throw Shape.wrong(singular, "it must have at least one property") }
        return given
    }

    /// Sets the fields that `given` has.
    ///
    /// An open schema lets every member through: one that has the name of a field which is no caller's to set is passed over,
    /// or a body could write what only its service may.
    package func apply(_ given: JSONObject, to resource: inout R) throws {
        for (key, value) in given.members {
            if let field = field(key) {
                guard field.isSettable else { continue }
                guard field.setJSON(&resource, value) else {
                    throw Shape.wrong("\(singular)/\(key)", "a value of the type \(value.typeName) is not expected here")
                }
            } else if isOpen, key != "links" {
                resource.extra[key] = value
            }
        }
    }

    /// Refuses to change what cannot be changed.
    package func checkFixed(_ given: JSONObject, of resource: R) throws {
        if let id = given["id"], id != .string(resource.id.text) { throw CloudError.badRequest("Cannot change \(singular) ID.") }
        for field in fields where field.update == .fixed {
            if let value = given[field.name], value != field.json(resource) {
                throw Shape.wrong("\(singular)/\(field.name)", "it cannot be changed")
            }
        }
    }

    /// Writes the resource's members into the object that is open.
    ///
    /// - Parameter isWanted: of the fields, what this caller asked for and may see.
    package func view(_ resource: R, into writer: inout JSONWriter, where isWanted: (Field<R>) -> Bool = { _ in true }) {
        view(resource, shown(where: isWanted), into: &writer)
    }

    /// The members that a view has: found once for all rows of a list.
    package func shown(where isWanted: (Field<R>) -> Bool) -> [ShownMember] {
        fields.filter { $0.shown != .never && isWanted($0) }.map(\.shownMember)
    }

    package func view(_ resource: R, _ shown: [ShownMember], into writer: inout JSONWriter) {
        withUnsafePointer(to: resource) { ShownMember.write(shown, of: $0, into: &writer) }
        if isOpen {
            for (key, value) in resource.extra.members where self.field(key) == nil {
                writer.key(dynamic: key)
                writer.value(value)
            }
        }
    }
}
