package import CloudCore

/// A shape, and the typed value that a JSON value of that shape becomes. A body is read once, at the edge, and nobody looks for
/// its members by their names afterwards.
///
/// ```swift
/// static let resize = Form.object(Resize(), [
///     .required("flavorRef", \.flavorID, .flavorReference),
///     .optional("OS-DCF:diskConfig", \.disk, .word()),
/// ]).inside("resize")
///
/// let resize = try await call.read(Bodies.resize)
/// ```
package struct Form<Value: Sendable>: Sendable {
    package let shape: Shape
    private let read: @Sendable (JSON, _ minor: Int) throws -> Value

    package init(_ shape: Shape, read: @escaping @Sendable (JSON, _ minor: Int) throws -> Value) {
        self.shape = shape
        self.read = read
    }

    /// Makes a form from a shape and the reading of what fits the shape.
    ///
    /// - Parameter value: returns nil for what no value of the shape is, which is a fault of the form.
    package init(_ shape: Shape, _ value: @escaping @Sendable (JSON) -> Value?) {
        self.init(shape) { json, _ in
            guard let value = value(json) else { throw CloudError.internalError("a \(json.typeName) went through the shape \(shape)") }
            return value
        }
    }

    /// Checks a value and reads it.
    ///
    /// - Parameters:
    ///   - minor: the minor version of the API that the caller speaks.
    ///   - dialect: the words of what is wrong.
    /// - Throws: `CloudError.badRequest`.
    package func parse(_ json: JSON, minor: Int = .max, _ dialect: Dialect) throws -> Value {
        try dialect.check(json, shape, minor: minor)
        return try read(json, minor)
    }

    /// Checks and reads the only member of a body's envelope, in the house's words.
    package func parse(_ body: JSONObject, inside name: String) throws -> Value {
        try read(.object(Shape.unwrap(body, name, shape)), .max)
    }

    /// Reads a value that was checked as a part of a larger one.
    package func readChecked(_ json: JSON, _ minor: Int) throws -> Value { try read(json, minor) }

    /// Returns the form of the same values as others.
    package func mapped<Other: Sendable>(_ other: @escaping @Sendable (Value) throws -> Other) -> Form<Other> {
        Form<Other>(shape) { json, minor in try other(try read(json, minor)) }
    }

    /// Returns the form of an object with one member, of this form.
    ///
    /// - Parameter open: whether other members are let through.
    package func inside(_ name: String, open: Bool = false) -> Form<Value> {
        Form(.object([.init(name, shape, required: true)], open: open)) { json, minor in try read(json[name] ?? .null, minor) }
    }
}

// MARK: Single values

extension Form where Value == String {
    package static func string(_ lengths: ClosedRange<Int> = 0...Int.max, _ format: TextFormat = .any) -> Form {
        Form(.string(lengths, format)) { $0.string }
    }
    package static func oneOf(_ words: [String]) -> Form { Form(.oneOf(words)) { $0.string } }
    package static let uuid = Form(.uuid) { $0.string }
    /// Either address family, in the canonical form.
    package static let address = Form(.address) { $0.string.flatMap { IPAddress($0)?.description } }
}

extension Form where Value == Bool {
    package static let boolean = Form(.boolean) { $0.bool }
    package static let truth = Form(.truth) { json in json.bool ?? json.string.flatMap { Truth($0)?.value } }
}

extension Form where Value == Int {
    /// A whole number, or its digits. Digits that are too many are the largest number.
    package static func whole(_ range: ClosedRange<Int64>) -> Form { Form(.whole(range)) { $0.whole } }
    package static let positive = whole(1...Int64.max)
    package static let natural = whole(0...Int64.max)
}

extension Form where Value == Int64 {
    package static func integer(_ range: ClosedRange<Int64>) -> Form { Form(.integer(range)) { $0.wholeFraction } }
}

extension Form where Value == Double {
    package static func number(most: Double) -> Form { Form(.number(most: most)) { $0.double } }
    package static func numeral(above least: Double, most: Double) -> Form {
        Form(.numeral(above: least, most: most)) { $0.double ?? $0.string.flatMap(Double.init) }
    }
}

extension Form where Value == JSON {
    /// A value that is checked and kept as it is.
    package static func json(_ shape: Shape) -> Form { Form(shape) { $0 } }
}

extension Form where Value: RawRepresentable & CaseIterable, Value.RawValue == String {
    /// One of the words of an enumeration.
    package static func word(of cases: [Value] = Array(Value.allCases)) -> Form {
        Form(.oneOf(cases.map(\.rawValue))) { $0.string.flatMap { Value(rawValue: $0) } }
    }
}

// MARK: Values of values

extension Form {
    /// Returns the form in which null is nil.
    package static func nullable<Inner>(_ form: Form<Inner>) -> Form where Value == Inner? {
        Form(.nullable(form.shape)) { json, minor in json.isNull ? nil : try form.readChecked(json, minor) }
    }

    package static func array<Element>(
        _ form: Form<Element>, _ counts: ClosedRange<Int> = 0...Int.max, unique: Bool = false
    ) -> Form where Value == [Element] {
        Form(.array(form.shape, counts, unique: unique)) { json, minor in
            try (json.array ?? []).map { try form.readChecked($0, minor) }
        }
    }

    /// Returns the form of an object whose members' names have a format.
    package static func dictionary<Inner>(
        _ names: TextFormat, _ form: Form<Inner>, _ counts: ClosedRange<Int> = 0...Int.max
    ) -> Form where Value == [String: Inner] {
        Form(.map(names, form.shape, counts)) { json, minor in
            try (json.object?.members ?? []).reduce(into: [:]) { $0[$1.key] = try form.readChecked($1.value, minor) }
        }
    }

    /// Returns the form of an object whose members' names have a format; the members keep their order.
    ///
    /// - Parameter others: the value of a member with any other name; nil if there may be none.
    package static func entries<Inner>(
        _ names: TextFormat, _ form: Form<Inner>, _ counts: ClosedRange<Int> = 0...Int.max, others: Inner? = nil
    ) -> Form where Value == [(key: String, value: Inner)] {
        Form(.object([], matching: [(names, form.shape)], counts: counts, open: others != nil)) { json, minor in
            try (json.object?.members ?? []).map { name, value in
                if let others, !names.allows(name) { return (key: name, value: others) }
                return (key: name, value: try form.readChecked(value, minor))
            }
        }
    }

    /// Returns the form of an object.
    ///
    /// - Parameters:
    ///   - empty: the value of an object without optional members.
    ///   - anyOf: names of which at least one must be there.
    ///   - open: whether members that are not listed are let through.
    package static func object(
        _ empty: Value, _ members: [FormMember<Value>], anyOf: [String] = [], open: Bool = false
    ) -> Form {
        Form(.object(members.map(\.member), anyOf: anyOf, open: open)) { json, minor in
            var value = empty
            for member in members where member.member.versions.contains(minor) {
                if let given = json[member.member.name] { try member.take(&value, given, minor) }
            }
            return value
        }
    }
}

/// A member of an object, and its place in the object's value.
package struct FormMember<Owner: Sendable>: Sendable {
    package let member: Shape.Member
    /// Reads a checked value into the object's value.
    package let take: @Sendable (inout Owner, JSON, _ minor: Int) throws -> Void

    package typealias Path<Value> = any WritableKeyPath<Owner, Value> & Sendable

    /// - Parameters:
    ///   - since: the first minor version that has the member.
    ///   - until: the last one.
    package static func required<Value>(
        _ name: String, _ path: Path<Value>, _ form: Form<Value>, since: Int = 0, until: Int = .max
    ) -> FormMember {
        FormMember(member: .init(name, form.shape, required: true, since: since, until: until)) { $0[keyPath: path] = try form.readChecked($1, $2) }
    }

    /// - Parameter requiredSince: the first minor version in which the member must be there; nil if it never must.
    package static func optional<Value>(
        _ name: String, _ path: Path<Value>, _ form: Form<Value>, since: Int = 0, until: Int = .max, requiredSince: Int? = nil
    ) -> FormMember {
        FormMember(member: .init(name, form.shape, requiredSince: requiredSince, since: since, until: until)) {
            $0[keyPath: path] = try form.readChecked($1, $2)
        }
    }

    package static func optional<Value>(
        _ name: String, _ path: Path<Value?>, _ form: Form<Value>, since: Int = 0, until: Int = .max, requiredSince: Int? = nil
    ) -> FormMember {
        FormMember(member: .init(name, form.shape, requiredSince: requiredSince, since: since, until: until)) {
            $0[keyPath: path] = try form.readChecked($1, $2)
        }
    }

    /// A member of a change: null clears the value, and without the member the value stays.
    package static func update<Value>(
        _ name: String, _ path: Path<Update<Value>>, _ form: Form<Value>, since: Int = 0, until: Int = .max
    ) -> FormMember {
        FormMember(member: .init(name, .nullable(form.shape), since: since, until: until)) {
            $0[keyPath: path] = $1.isNull ? .clear : .set(try form.readChecked($1, $2))
        }
    }

    /// Returns the member of an object that has this one's owner as a part.
    package func of<Whole>(_ part: any WritableKeyPath<Whole, Owner> & Sendable) -> FormMember<Whole> {
        FormMember<Whole>(member: member) { [take] in try take(&$0[keyPath: part], $1, $2) }
    }

    /// A member that is checked and has no effect.
    package static func ignored(_ name: String, _ shape: Shape, required: Bool = false, since: Int = 0, until: Int = .max) -> FormMember {
        FormMember(member: .init(name, shape, required: required, since: since, until: until)) { _, _, _ in }
    }
}

extension JSON {
    /// A truth value that a shape has let through.
    package var truth: Bool? { bool ?? string.flatMap { Truth($0)?.value } }

    /// A whole number that a shape has let through, as a number or as digits. Digits that are too many are the largest number.
    package var whole: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .string(let text): Int(text) ?? (text.hasPrefix("-") ? .min : .max)
        default: nil
        }
    }

    fileprivate var wholeFraction: Int64? {
        switch self {
        case .integer(let value): value
        case .number(let value): Int64(exactly: value)
        default: nil
        }
    }

    fileprivate var double: Double? {
        switch self {
        case .integer(let value): Double(value)
        case .number(let value): value
        default: nil
        }
    }
}
