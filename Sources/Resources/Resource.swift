package import CloudCore
package import HTTPKit
package import SQL

/// One of an API's uniform nouns: a struct, and one description of its fields from which all else follows: which bodies
/// are taken, what is stored, what may be filtered and sorted by, what is shown.
package protocol Resource: Sendable {
    /// What its ids are ids of.
    associatedtype Noun = Self
    /// What its bodies say that is no field of the noun itself.
    associatedtype Input: ResourceInput = NoInput
    /// What is true of a new one before its caller said anything.
    init()
    /// The public id.
    var id: ID<Noun> { get set }
    /// What callers stored in it that the API has no name for; stays empty where the schema is closed.
    var extra: JSONObject { get set }
    static var schema: ResourceSchema<Self> { get }
}

/// The values of a noun's bodies that the noun's service itself uses: a password, a hint.
package protocol ResourceInput: Sendable {
    /// Makes the input of a body that says nothing.
    init()
}

/// The input of a noun whose bodies have its fields alone.
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
    /// The members of bodies that become the noun's input.
    let inputs: [Field<R>]
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
        inputs = fields.filter { $0.input != nil }
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
package final class Field<R: Resource>: Sendable {
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

    /// Who may say a field, and who sees it.
    private struct Rules: Sendable {
        var create = OnCreate.unknown
        var update = OnUpdate.unknown
        var filter = Filter.none
        var shown = Shown.always
    }

    /// The column of a field.
    private struct Column: Sendable {
        let name: String
        /// The SQL that lists are sorted by.
        let order: String
        let sqlFilter: @Sendable (String) -> SQLValue?

        /// What a filter in a URL stands for where there is no column.
        static var noFilter: @Sendable (String) -> SQLValue? { { _ in nil } }

        init<Value: FieldValue>(_ name: String, _: Value.Type) {
            self.name = name
            order = "coalesce(\(name), \(Value.sqlNothing))"
            sqlFilter = { Value.sql(filter: $0) }
        }
    }

    /// The way of a body's member into the resource.
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
    private let setter: Setter
    /// The reader of a member that is the noun's input; nil for other fields.
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

    /// A field that is stored in a column, of its own name unless another is given.
    package convenience init<Value: FieldValue>(
        _ name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, filter: Filter = .none, shown: Shown = .always, column: String? = nil
    ) {
        self.init(
            name, shape, Rules(create: create, update: update, filter: filter, shown: shown), Column(column ?? name, Value.self), Place(path),
            .at(path))
    }

    /// A field that is stored in a column, and that no body has.
    package convenience init<Value: FieldValue>(
        own name: String, _ path: any WritableKeyPath<R, Value> & Sendable, filter: Filter = .none,
        shown: Shown = .always, column: String? = nil
    ) {
        self.init(name, path, .any, create: .unknown, update: .unknown, filter: filter, shown: shown, column: column)
    }

    /// A field that is stored in a column, and that a part of the resource has.
    package convenience init<Part, Value: FieldValue>(
        _ name: String, of part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable, _ shape: Shape,
        create: OnCreate = .optional, update: OnUpdate = .allowed, filter: Filter = .none, shown: Shown = .always
    ) {
        self.init(
            name, shape, Rules(create: create, update: update, filter: filter, shown: shown), Column(name, Value.self), Place(part, path),
            .at(part, path))
    }

    /// The same of a field that the resource's service stores in its own way.
    package convenience init<Part, Value: FieldValue>(
        unstored name: String, of part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable,
        _ shape: Shape, create: OnCreate = .optional, update: OnUpdate = .allowed
    ) {
        self.init(name, shape, Rules(create: create, update: update), nil, Place(part, path), .at(part, path))
    }

    /// A field that is shown, and made from others.
    package convenience init(_ name: String, derived: @escaping @Sendable (R) -> JSON) {
        self.init(name, .any, Rules(), nil, Place(derived: derived), Setter())
    }

    /// A field that a body may have and a view shows, and that the resource's service stores in its own way: sealed, or in a
    /// table of its own.
    package convenience init<Value: FieldValue>(
        unstored name: String, _ path: any WritableKeyPath<R, Value> & Sendable, _ shape: Shape, create: OnCreate = .optional,
        update: OnUpdate = .allowed, shown: Shown = .always
    ) {
        self.init(name, shape, Rules(create: create, update: update, shown: shown), nil, Place(path), .at(path))
    }

    /// A member of bodies that becomes a part of the noun's input: a password, a hint.
    package convenience init(input: FormMember<R.Input>, update: OnUpdate = .allowed) {
        let create: OnCreate = input.member.requiredSince == nil ? .optional : .required
        self.init(
            input.member.name, input.member.shape, Rules(create: create, update: update, shown: .never), nil, Place { _ in .null }, Setter(),
            input: { try input.take(&$0, $1, .max) })
    }

    /// A field of an open schema that has no column: it is checked, and kept with what the API has no name for.
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
    /// Returns a new resource and what the body of a `POST` says of it.
    ///
    /// - Throws: `CloudError.badRequest` that names the member.
    package func new(from body: JSONObject) throws -> (resource: R, given: Given<R>) {
        let given = try Given<R>(Shape.unwrap(body, singular, create), at: singular)
        var resource = R()
        try apply(given, to: &resource)
        return (resource, given)
    }

    /// Returns what the body of a `PATCH` changes.
    ///
    /// - Throws: `CloudError.badRequest` that names the member, also when nothing is to be changed.
    package func changes(from body: JSONObject) throws -> Given<R> {
        let given = try Given<R>(Shape.unwrap(body, singular, update), at: singular)
        guard !given.members.isEmpty else { throw Shape.wrong(singular, "it must have at least one property") }
        return given
    }

    /// Sets the fields that `given` has.
    ///
    /// An open schema lets every member through: one that has the name of a field which is no caller's to set is passed over,
    /// or a body could write what only its service may.
    ///
    /// - Parameter unreadable: the error for a value that its field cannot have; nil for the house's words.
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

    /// Returns the error for a value that its field cannot have, in the house's words.
    func unreadable(_ field: String, _ value: JSON) -> CloudError {
        Shape.wrong("\(singular)/\(field)", "a value of the type \(value.typeName) is not expected here")
    }

    /// Refuses to change what cannot be changed.
    package func checkFixed(_ given: Given<R>, of resource: R) throws {
        if let id = given.members["id"], id != .string(resource.id.text) { throw CloudError.badRequest("Cannot change \(singular) ID.") }
        for field in fields where field.update == .fixed {
            if let value = given.members[field.name], value != field.json(resource) {
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
