package import CloudCore

/// The words and the order in which an API reports what is wrong with a body.
package struct Dialect: Sendable {
    /// Whether a fault in the members of an object is reported before a fault of the object itself.
    let checksMembersFirst: Bool
    /// Whether a text with a NUL character is refused.
    var refusesNUL = false
    /// Whether `3.0` is an integer.
    var takesWholeFractions = false
    private let error: @Sendable (Mismatch) -> CloudError

    /// Makes a dialect.
    ///
    /// - Parameter error: makes the complete error for a mismatch.
    package init(
        checksMembersFirst: Bool, refusesNUL: Bool = false, takesWholeFractions: Bool = false,
        error: @escaping @Sendable (Mismatch) -> CloudError
    ) {
        self.checksMembersFirst = checksMembersFirst
        self.refusesNUL = refusesNUL
        self.takesWholeFractions = takesWholeFractions
        self.error = error
    }

    /// Compares a value with a shape.
    ///
    /// - Parameter minor: the minor version of the API that the caller speaks.
    /// - Throws: `CloudError.badRequest`, worded by the dialect.
    package func check(_ value: JSON, _ shape: Shape, minor: Int = .max) throws {
        ShapeTrace.note(.compared(value, shape, minor: minor))
        if let mismatch = mismatch(value, shape, minor: minor) { throw error(mismatch) }
    }

    /// Returns what is wrong with a value; nil if it fits the shape.
    package func mismatch(_ value: JSON, _ shape: Shape, minor: Int = .max) -> Mismatch? {
        ShapeCheck(minor: minor, dialect: self).mismatch(shape, value)
    }

    /// Returns the house's dialect: it names the path of the value in the body and says what was expected there.
    ///
    /// - Parameter path: the path of the whole value, such as `user`.
    package static func house(_ path: String) -> Dialect {
        Dialect(checksMembersFirst: true, refusesNUL: true) { mismatch in
            Shape.wrong(([path] + mismatch.place.reversed().map(\.name)).joined(separator: "/"), mismatch.houseWords)
        }
    }
}

extension Mismatch {
    /// The fault of the value in the house's words.
    var houseWords: String {
        switch fault {
        case .type(let names): "a value of the type \(value.typeName) is not of the type \(names.joined(separator: " or "))"
        case .below(let least): "\(value.shown) is less than \(least)"
        case .above(let most): "\(value.shown) is greater than \(most)"
        case .notAbove(let least): "\(value.shown) is not greater than \(least)"
        case .tooLarge(let most): "\(value.shown) is greater than \(most)"
        case .notDigits: "it must be a number"
        case .tooFew(.characters, _, 0): "it must not be empty"
        case .tooFew(let unit, let range, _): "it must have at least \(range.lowerBound) \(unit.name)"
        case .tooMany(let unit, let range, _): "it must have at most \(range.upperBound) \(unit.name)"
        case .format(let format): "it \(format.rule)"
        case .notOneOf(let words, _): "it must be one of \(words.map { "'\($0)'" }.joined(separator: ", "))"
        case .duplicates: "it has an element twice"
        case .nul: "it must not have a NUL character"
        case .missing(let name): "'\(name)' is a required property"
        case .unknown(let names), .unmatched(let names, _): "'\(names[0].prefix(64))' is not a property that it can have"
        case .noAlternative: "it has none of the forms that it can have"
        }
    }
}

extension Mismatch.Unit {
    fileprivate var name: String {
        switch self {
        case .characters: "characters"
        case .elements: "elements"
        case .members: "members"
        }
    }
}
