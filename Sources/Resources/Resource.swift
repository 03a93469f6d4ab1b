package import CloudCore
package import HTTPKit
package import SQL

/// A uniform noun of an API: a struct and one description of its fields. The description decides which bodies are
/// accepted, what is stored, what can be filtered and sorted by, and what is shown.
package protocol Resource: Sendable {
    /// The type that its ids identify.
    associatedtype Noun = Self
    /// Makes a new resource with the values that apply if its caller sets nothing.
    init()
    /// The public id.
    var id: ID<Noun> { get set }
    /// The members that callers stored and for which the API has no name. It is always empty if the schema is closed.
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
    /// The name in a body, such as `user`, and in policies (`identity:get_user`).
    package let singular: String
    /// The name in a list and in the URL, such as `users`.
    package let plural: String
    package let table: String
    package let fields: [Field<R>]
    /// Whether members without a field are kept in `extra` and shown; otherwise they are refused.
    package let isOpen: Bool
    let create: Shape
    let update: Shape
    let stored: [Field<R>]
    /// The SQL statements for the table.
    let statements: TableStatements
    /// The columns, with the places for their values in the struct.
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

    /// The shapes of the bodies of a `POST` and of a `PATCH`, for tests that send every kind of wrong body.
    package var shapes: (create: Shape, update: Shape) { (create, update) }
}

/// One field of a resource.
///
/// It is a class because it never changes: each row of each list goes through all fields, and a copy of a struct would
/// retain every closure.
package final class Field<R: Sendable>: Sendable {
    /// The rule for the field in the body that creates a resource.
    package enum OnCreate: Sendable { case required, optional, unknown }
    /// The rule for the field in the body that changes a resource.
    package enum OnUpdate: Sendable {
        case allowed
        /// The field may be present, but its value must not change.
        case fixed
        case unknown
    }
    package enum Shown: Sendable {
        case always, never
        /// The field is left out of the view if it is null.
        case whenSet
    }
    package enum Filter: Sendable {
        case none, exact
        /// Exact filters, and `name__contains`, `name__icontains`, `…startswith`, `…endswith` and similar ones.
        case text
    }

    package let name: String
    /// The name as JSON text, with quotes and colon.
    private let key: [UInt8]
    package let shape: Shape
    package let create: OnCreate
    package let update: OnUpdate
    package let filter: Filter
    package let shown: Shown
    package let column: String?
    /// The SQL expression by which lists are sorted.
    package let order: String?
    /// Returns the SQL value for the text of a filter in a URL; nil if the text is not a value of the field.
    package let sqlFilter: @Sendable (String) -> SQLValue?
    /// Whether some body sets the field.
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

    /// Makes a field that is stored in a column. The column has the field's name unless another is given.
    package convenience init<Value: FieldValue>(
        _ name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, filter: Filter = .none, shown: Shown = .always, column: String? = nil
    ) {
        self.init(
            name, Value.self, shape, create, update, filter, shown, column ?? name, Place(path), Self.setter { $0[keyPath: path] = $1 })
    }

    /// Makes a field that belongs to a part of the resource and is stored in a column.
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

    /// Makes a field that belongs to a part of the resource and that the service stores in its own way.
    package convenience init<Part, Value: FieldValue>(
        unstored name: String, of part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable,
        _ shape: Shape, create: OnCreate = .optional, update: OnUpdate = .allowed
    ) {
        self.init(
            plain: name, shape, create: create, update: update, place: Place(part, path), setter: Self.setter { $0[keyPath: part][keyPath: path] = $1 })
    }

    /// Makes a field that is shown and computed from other fields.
    package convenience init(_ name: String, derived: @escaping @Sendable (R) -> JSON) { self.init(plain: name, place: Place(derived: derived)) }

    /// Makes a field that bodies may have and views show, and that the service stores in its own way: sealed, or in a
    /// table of its own.
    package convenience init<Value: FieldValue>(
        unstored name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, shown: Shown = .always
    ) {
        self.init(
            plain: name, shape, create: create, update: update, shown: shown, place: Place(path), setter: Self.setter { $0[keyPath: path] = $1 })
    }

    /// Makes a field that only bodies have and that the service reads itself, such as a password or a hint.
    package convenience init(input name: String, _ shape: Shape, create: OnCreate = .optional, update: OnUpdate = .allowed) {
        self.init(plain: name, shape, create: create, update: update, shown: .never, place: Place { _ in .null })
    }
}

extension Field where R: Resource {
    /// Makes a field of an open schema without a column. It is checked and kept in `extra`.
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
    /// Makes a new resource from the body of a `POST`.
    ///
    /// - Throws: `CloudError.badRequest` that names the member.
    package func new(from body: JSONObject) throws -> (resource: R, given: JSONObject) {
        let given = try Shape.unwrap(body, singular, create)
        var resource = R()
        try apply(given, to: &resource)
        return (resource, given)
    }

    /// Returns the changes in the body of a `PATCH`.
    ///
    /// - Throws: `CloudError.badRequest` that names the member, also if the body changes nothing.
    package func changes(from body: JSONObject) throws -> JSONObject {
        let given = try Shape.unwrap(body, singular, update)
        guard !given.isEmpty else { throw Shape.wrong(singular, "it must have at least one property") }
        return given
    }

    /// Sets the fields that are in `given`.
    ///
    /// An open schema accepts every member. A member with the name of a field that callers cannot set is ignored;
    /// otherwise a body could write values that only the service may write.
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

    /// Throws if the body changes the id or a fixed field.
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
    /// - Parameter isWanted: selects the fields that the caller asked for and may see.
    package func view(_ resource: R, into writer: inout JSONWriter, where isWanted: (Field<R>) -> Bool = { _ in true }) {
        view(resource, shown(where: isWanted), into: &writer)
    }

    /// Returns the members of a view. They are computed once for all rows of a list.
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
