package import CloudCore
package import HTTPKit
package import SQL

/// One of an API's uniform nouns: a struct with one description of its fields. The bodies that are accepted, the
/// columns, the filters, the sort keys and the views all follow from the description.
package protocol Resource: Sendable {
    /// The type that marks the resource's ids.
    associatedtype Noun = Self
    /// The values of bodies that are not fields of the noun itself.
    associatedtype Input: ResourceInput = NoInput
    /// Makes a resource with the default values of its fields.
    init()
    /// The public id.
    var id: ID<Noun> { get set }
    /// The attributes that callers stored and for which the API has no name. It stays empty if the schema is closed.
    var extra: JSONObject { get set }
    static var schema: ResourceSchema<Self> { get }
}

/// The values in a noun's bodies that only the noun's service uses, such as a password or a hint.
package protocol ResourceInput: Sendable {
    /// Makes the input of a body without any such value.
    init()
}

/// The input of a noun whose bodies have only its fields.
package struct NoInput: ResourceInput {
    package init() {}
}

extension Resource {
    package var extra: JSONObject {
        get { [:] }
        set {}
    }
}

/// The description of a resource.
package struct ResourceSchema<R: Resource>: Sendable {
    /// The key of a body, and the word in policies: `user`, as in `identity:get_user`.
    package let singular: String
    /// The key of a list, and the segment of the URL: `users`.
    package let plural: String
    package let table: String
    package let fields: [Field<R>]
    /// Whether members without a field are kept in `extra` and shown. Otherwise they are refused.
    package let isOpen: Bool
    let create: Shape
    let update: Shape
    let stored: [Field<R>]
    /// The fields that views can have.
    let visible: [Field<R>]
    /// The names of the visible fields in the policy's target, in their order.
    let targetNames: [String]
    /// The members of a view with every field.
    package let allShown: [ShownMember]
    /// The members of bodies that become the noun's input.
    let inputs: [Field<R>]
    /// The SQL statements for its table.
    let statements: TableStatements
    /// The stored columns, in the order in which rows are read.
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
        visible = fields.filter { $0.shown != .never }
        targetNames = visible.map { "target.\(singular).\($0.name)" }
        allShown = visible.map { $0.shownMember }
        inputs = fields.filter { $0.input != nil }
        statements = TableStatements(table, columns: stored.compactMap(\.column) + (open ? ["extra"] : []))
        columns = stored.map(\.storedColumn)
    }

    package func field(_ name: String) -> Field<R>? { fields.first { $0.name == name } }

    /// The shapes of the bodies of `POST` and `PATCH`, for tests that send wrong bodies.
    package var shapes: (create: Shape, update: Shape) { (create, update) }
}

/// One field of a resource.
///
/// A class, because a field never changes and each row of a list visits every field: copying a struct would retain each
/// of its closures.
package final class Field<R: Resource>: Sendable {
    /// Whether the body of a `POST` may have the field.
    package enum OnCreate: Sendable { case required, optional, unknown }
    /// Whether the body of a `PATCH` may have the field.
    package enum OnUpdate: Sendable {
        case allowed
        /// The body may repeat the value, but not change it.
        case fixed
        case unknown
    }
    package enum Shown: Sendable {
        case always, never
        /// The view omits the field if it is null.
        case whenSet
    }
    package enum Filter: Sendable {
        case none, exact
        /// Exact, and also with an operator: `name__contains`, `name__icontains`, `…startswith`, `…endswith` and
        /// others.
        case text
    }

    /// The rules of a field: which bodies may have it, how lists filter by it, and when views show it.
    private struct Rules: Sendable {
        var create = OnCreate.unknown
        var update = OnUpdate.unknown
        var filter = Filter.none
        var shown = Shown.always
    }

    /// The column of a field.
    private struct Column: Sendable {
        let name: String
        /// The SQL expression that lists are sorted by. It is never NULL.
        let order: String
        let sqlFilter: @Sendable (String) -> SQLValue?

        /// The filter of a field without a column: no text matches.
        static var noFilter: @Sendable (String) -> SQLValue? { { _ in nil } }

        init<Value: FieldValue>(_ name: String, _: Value.Type) {
            self.name = name
            order = "coalesce(\(name), \(Value.sqlNothing))"
            sqlFilter = { Value.sql(filter: $0) }
        }
    }

    /// The functions that set a field from a member of a body.
    private struct Setter: Sendable {
        /// Sets the field; returns false for a value of another type.
        var set: @Sendable (inout R, JSON) -> Bool = { _, _ in true }
        /// Tells whether a key path leads to the field.
        var isAt: @Sendable (AnyKeyPath) -> Bool = { _ in false }

        static func at<Value: FieldValue>(_ path: any WritableKeyPath<R, Value> & Sendable) -> Setter {
            Setter(set: { Self.set(&$0[keyPath: path], $1) }, isAt: { $0 == path })
        }

        static func at<Part, Value: FieldValue>(
            _ part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable
        ) -> Setter {
            Setter(set: { Self.set(&$0[keyPath: part][keyPath: path], $1) }, isAt: { $0 == part.appending(path: path) })
        }

        private static func set<Value: FieldValue>(_ place: inout Value, _ json: JSON) -> Bool {
            guard let value = Value(json: json) else { return false }
            place = value
            return true
        }
    }

    package let name: String
    /// The name as JSON text, as a view writes it.
    private let key: [UInt8]
    package let shape: Shape
    package let create: OnCreate
    package let update: OnUpdate
    package let filter: Filter
    package let shown: Shown
    package let column: String?
    /// The SQL expression that lists are sorted by; nil for a field without a column.
    package let order: String?
    /// Returns the SQL value for the text of a filter in a URL; nil if the text cannot be a value of the field.
    package let sqlFilter: @Sendable (String) -> SQLValue?
    /// Whether a body can set the field.
    var isSettable: Bool { create != .unknown || update == .allowed }
    private let place: Place<R>
    private let setter: Setter
    /// The function that reads a member of a body into the noun's input; nil for other fields.
    let input: (@Sendable (inout R.Input, JSON) throws -> Void)?

    private init(
        _ name: String, _ shape: Shape, _ rules: Rules, _ column: Column?, _ place: Place<R>, _ setter: Setter,
        input: (@Sendable (inout R.Input, JSON) throws -> Void)? = nil
    ) {
        self.name = name
        key = JSONWriter.writtenKey(name)
        self.shape = shape
        create = rules.create
        update = rules.update
        filter = rules.filter
        shown = rules.shown
        self.column = column?.name
        order = column?.order
        sqlFilter = column?.sqlFilter ?? Column.noFilter
        self.place = place
        self.setter = setter
        self.input = input
    }

    package func json(_ resource: R) -> JSON { withUnsafePointer(to: resource) { place.json($0) } }
    func sql(_ resource: R) -> SQLValue { withUnsafePointer(to: resource) { place.sql($0) } }
    func setJSON(_ resource: inout R, _ json: JSON) -> Bool { setter.set(&resource, json) }
    /// Tells whether a key path leads to the field.
    func isAt(_ path: AnyKeyPath) -> Bool { setter.isAt(path) }

    fileprivate var storedColumn: StoredColumn { StoredColumn(field: name, offset: place.offset, take: place.access.take) }
    fileprivate var shownMember: ShownMember {
        ShownMember(key: key, isLeftOutWhenNull: shown == .whenSet, offset: place.offset, json: place.access.json)
    }

    /// Makes a field that is stored in a column. The column has the field's name unless another is given.
    package convenience init<Value: FieldValue>(
        _ name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, filter: Filter = .none, shown: Shown = .always, column: String? = nil
    ) {
        self.init(
            name, shape, Rules(create: create, update: update, filter: filter, shown: shown), Column(column ?? name, Value.self), Place(path),
            .at(path))
    }

    /// Makes a field that is stored in a column and that no body has.
    package convenience init<Value: FieldValue>(
        own name: String, _ path: any WritableKeyPath<R, Value> & Sendable, filter: Filter = .none,
        shown: Shown = .always, column: String? = nil
    ) {
        self.init(name, path, .any, create: .unknown, update: .unknown, filter: filter, shown: shown, column: column)
    }

    /// Makes a field that is stored in a column and that belongs to a part of the resource.
    package convenience init<Part, Value: FieldValue>(
        _ name: String, of part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable, _ shape: Shape,
        create: OnCreate = .optional, update: OnUpdate = .allowed, filter: Filter = .none, shown: Shown = .always
    ) {
        self.init(
            name, shape, Rules(create: create, update: update, filter: filter, shown: shown), Column(name, Value.self), Place(part, path),
            .at(part, path))
    }

    /// Makes a field that belongs to a part of the resource and that the resource's service stores in its own way.
    package convenience init<Part, Value: FieldValue>(
        unstored name: String, of part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable,
        _ shape: Shape, create: OnCreate = .optional, update: OnUpdate = .allowed
    ) {
        self.init(name, shape, Rules(create: create, update: update), nil, Place(part, path), .at(part, path))
    }

    /// Makes a field that is only shown, and computed from others.
    package convenience init(_ name: String, derived: @escaping @Sendable (borrowing R) -> JSON) {
        self.init(name, .any, Rules(), nil, Place(derived: derived), Setter())
    }

    /// Makes a field that a body may have and a view shows, and that the resource's service stores in its own way:
    /// sealed, or in a table of its own.
    package convenience init<Value: FieldValue>(
        unstored name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, shown: Shown = .always
    ) {
        self.init(name, shape, Rules(create: create, update: update, shown: shown), nil, Place(path), .at(path))
    }

    /// Makes a member of bodies that is read into the noun's input, such as a password or a hint.
    package convenience init(input: FormMember<R.Input>, update: OnUpdate = .allowed) {
        let create: OnCreate = input.member.requiredSince == nil ? .optional : .required
        self.init(
            input.member.name, input.member.shape, Rules(create: create, update: update, shown: .never), nil, Place { _ in .null }, Setter(),
            input: { try input.take(&$0, $1, .max) })
    }

    /// Makes a field of an open schema without a column. Its shape is checked, and it is stored in `extra`.
    package convenience init(extra name: String, _ shape: Shape) {
        let setter = Setter(set: { resource, json in
            resource.extra[name] = json
            return true
        })
        self.init(
            name, shape, Rules(create: .optional, update: .allowed, shown: .whenSet), nil, Place { $0.extra[name] ?? .null }, setter)
    }
}

// MARK: - Bodies and views

extension ResourceSchema {
    /// Returns a new resource, and the content of the body of a `POST` that it was made from.
    ///
    /// - Throws: `CloudError.badRequest` that names the wrong member.
    package func new(from body: JSONObject) throws -> (resource: R, given: Given<R>) {
        let given = try Given<R>(Shape.unwrap(body, singular, create), at: singular)
        var resource = R()
        try apply(given, to: &resource)
        return (resource, given)
    }

    /// Returns the changes that the body of a `PATCH` asks for.
    ///
    /// - Throws: `CloudError.badRequest` that names the wrong member, also for a body that changes nothing.
    package func changes(from body: JSONObject) throws -> Given<R> {
        let given = try Given<R>(Shape.unwrap(body, singular, update), at: singular)
        guard !given.members.isEmpty else { throw Shape.wrong(singular, "it must have at least one property") }
        return given
    }

    /// Sets the fields that `given` has.
    ///
    /// An open schema accepts every member. A member with the name of a field that callers cannot set is ignored:
    /// otherwise a body could write a field that only the service may write.
    ///
    /// - Parameter unreadable: makes the error for a value that its field cannot have; nil for the error of this house.
    package func apply(
        _ given: Given<R>, to resource: inout R, unreadable: ((_ field: String, JSON) -> CloudError)? = nil
    ) throws {
        for (key, value) in given.members.members {
            if let field = field(key) {
                guard field.isSettable else { continue }
                guard field.setJSON(&resource, value) else {
                    throw unreadable?(key, value) ?? self.unreadable(key, value)
                }
            } else if isOpen, key != "links" {
                resource.extra[key] = value
            }
        }
    }

    /// Returns this house's error for a value that its field cannot have.
    func unreadable(_ field: String, _ value: JSON) -> CloudError {
        Shape.wrong("\(singular)/\(field)", "a value of the type \(value.typeName) is not expected here")
    }

    /// Throws if the body changes the id or a fixed field.
    package func checkFixed(_ given: Given<R>, of resource: R) throws {
        if let id = given.members["id"], id != .string(resource.id.text) { throw CloudError.badRequest("Cannot change \(singular) ID.") }
        for field in fields where field.update == .fixed {
            if let value = given.members[field.name], value != field.json(resource) {
                throw Shape.wrong("\(singular)/\(field.name)", "it cannot be changed")
            }
        }
    }

    /// Writes the resource's members into the JSON object that the writer has begun.
    ///
    /// - Parameter isWanted: tells whether the caller asked for a field and may see it.
    package func view(_ resource: R, into writer: inout JSONWriter, where isWanted: (Field<R>) -> Bool = { _ in true }) {
        view(resource, shown(where: isWanted), into: &writer)
    }

    /// Returns the members of a view. A list calls it once for all of its rows.
    package func shown(where isWanted: (Field<R>) -> Bool) -> [ShownMember] {
        // In generic code, a key path is made anew for each call.
        visible.filter(isWanted).map { $0.shownMember }
    }

    package func view(_ resource: R, _ shown: [ShownMember], into writer: inout JSONWriter) {
        withUnsafePointer(to: resource) { view(at: $0, shown, into: &writer) }
    }

    /// Writes the member `plural` with the views of resources. Resources are large values, and none of them is copied.
    package func views(_ resources: [R], _ shown: [ShownMember], into writer: inout JSONWriter) {
        resources.withUnsafeBufferPointer { resources in
            writer.array(dynamic: plural, of: resources.indices) { writer, index in
                guard let first = resources.baseAddress else { return }
                writer.object { view(at: first + index, shown, into: &$0) }
            }
        }
    }

    private func view(at resource: UnsafePointer<R>, _ shown: [ShownMember], into writer: inout JSONWriter) {
        ShownMember.write(shown, of: resource, into: &writer)
        if isOpen {
            for (key, value) in resource.pointee.extra.members where self.field(key) == nil {
                writer.key(dynamic: key)
                writer.value(value)
            }
        }
    }
}
