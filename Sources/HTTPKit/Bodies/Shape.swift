package import CloudCore

/// The shape of a JSON value. It is data: a body is checked, documented and fuzzed from one description.
///
/// `ShapeCheck` compares a value with a shape, `Dialect` puts a mismatch into words, and `Form` makes a typed value of
/// JSON that fits.
package indirect enum Shape: Sendable {
    case any
    case null
    case boolean
    /// A boolean, or one of the words of `Truth`.
    case truth
    case integer(ClosedRange<Int64>)
    /// A whole number, or its decimal digits as text.
    case whole(ClosedRange<Int64>)
    case number(most: Double)
    /// A number, or its digits as text. The lower bound is excluded.
    case numeral(above: Double, most: Double)
    /// A string; its length is counted in Unicode scalars, as JSON Schema does.
    case string(ClosedRange<Int>, TextFormat = .any)
    case oneOf([String])
    case array(Shape, ClosedRange<Int> = 0...10_000, unique: Bool = false)
    case object(Members)
    case nullable(Shape)
    case either([Shape])

    /// The members of an object.
    package struct Members: Sendable {
        package let named: [Member]
        /// The shapes of members that are recognized by the format of their names.
        package let matching: [(format: TextFormat, shape: Shape)]
        /// The allowed number of members.
        package let counts: ClosedRange<Int>
        /// Names of which at least one must be present; empty if there is no such rule.
        package let anyOf: [String]
        /// Whether members that are not listed are allowed.
        package let isOpen: Bool
    }

    /// A member of an object, and the minor versions that have it.
    package struct Member: Sendable {
        package let name: String
        package let shape: Shape
        /// First minor version in which the member is required; nil if it is never required.
        package let requiredSince: Int?
        /// Minor versions of the API that have the member. A name may occur in several members if their versions do not
        /// overlap.
        package let versions: ClosedRange<Int>

        package init(_ name: String, _ shape: Shape, required: Bool = false, requiredSince: Int? = nil, since: Int = 0, until: Int = .max) {
            self.name = name
            self.shape = shape
            self.requiredSince = required ? 0 : requiredSince
            versions = since...until
        }
    }

    package static func object(
        _ named: [Member], matching: [(TextFormat, Shape)] = [], counts: ClosedRange<Int> = 0...Int.max, anyOf: [String] = [],
        open: Bool = false
    ) -> Shape {
        .object(
            Members(
                named: named, matching: matching.map { (format: $0.0, shape: $0.1) }, counts: counts, anyOf: anyOf, isOpen: open))
    }

    /// Returns the shape of an object whose member names must have a format.
    package static func map(_ names: TextFormat, _ values: Shape, _ counts: ClosedRange<Int> = 0...Int.max) -> Shape {
        .object([], matching: [(names, values)], counts: counts)
    }

    // MARK: Common shapes

    package static let text = Shape.string(0...65_535)
    package static let name = Shape.string(1...255, .notBlank)
    package static let id = Shape.string(1...64, .id)
    package static let uuid = Shape.string(0...Int.max, .uuid)
    package static let url = Shape.string(0...2048, .url)
    package static let openObject = Shape.object([], open: true)
    package static let positive = Shape.whole(1...Int64.max)
    package static let natural = Shape.whole(0...Int64.max)
    /// An address of either family.
    package static let address = Shape.either([.string(0...Int.max, .ipv4), .string(0...Int.max, .ipv6)])

    /// The names of the JSON types that can fit the shape.
    package var typeNames: [String] {
        switch self {
        case .any, .either: ["any"]
        case .null: ["null"]
        case .boolean: ["boolean"]
        case .truth: ["boolean", "string"]
        case .integer: ["integer"]
        case .whole: ["integer", "string"]
        case .number: ["number"]
        case .numeral: ["number", "string"]
        case .string, .oneOf: ["string"]
        case .array: ["array"]
        case .object: ["object"]
        case .nullable(let shape): shape.typeNames + ["null"]
        }
    }
}

// MARK: Checking in the house's words

extension Shape {
    /// Compares a value with the shape.
    ///
    /// - Parameter path: the path of the value in the body, for the message: `user/name`.
    /// - Throws: `CloudError.badRequest` that names the path and says what was expected there.
    package func check(_ value: JSON, at path: String) throws { try Dialect.house(path).check(value, self) }

    /// Checks and returns the only member of a body's envelope, such as `user` of `{"user": {…}}`.
    package static func unwrap(_ body: JSONObject, _ name: String, _ shape: Shape) throws -> JSONObject {
        ShapeTrace.note(.envelope(name, shape))
        guard let inner = body[name] else { throw wrong(name, "'\(name)' is a required property") }
        if let other = body.keys.first(where: { $0 != name }) {
            throw wrong(String(other.prefix(64)), "only '\(name)' is expected here")
        }
        try shape.check(inner, at: name)
        guard case .object(let object) = inner else { throw wrong(name, "a value of the type \(inner.typeName) is not of the type object") }
        return object
    }

    /// Returns the error for a fault at a path of a body, in the house's words.
    package static func wrong(_ path: String, _ what: String) -> CloudError {
        .badRequest("Invalid input for field '\(path)': \(what).")
    }
}
