import CloudCore
import HTTPKit

extension Dialect {
    /// The dialect of Block Storage: the innermost wrong member, its value and the message of JSON Schema.
    static let volume = Dialect(checksMembersFirst: true) { mismatch in
        let words = mismatch.schemaWords(limit: 1000)
        guard let field = mismatch.place.first else { return .badRequest(words) }
        return .badRequest("Invalid input for field/attribute \(field.name). Value: \(mismatch.value.shown). \(words)")
    }
}

extension TextFormat {
    /// The name of a user's metadata or of an extra spec.
    static let propertyName = pattern("^[a-zA-Z0-9-_:. /]{1,255}$") { text in
        (1...255).contains(text.utf8.count) && hasOnlyLetters(text, and: "-_:. /")
    }
    /// The name of a snapshot's metadata.
    static let metadataName = pattern("^[a-zA-Z0-9-_:. ]{1,255}$") { text in
        (1...255).contains(text.utf8.count) && hasOnlyLetters(text, and: "-_:. ")
    }
    /// The name of an extra spec where spaces and slashes are refused.
    static let specName = pattern("^[a-zA-Z0-9-_:.]{1,255}$") { text in
        (1...255).contains(text.utf8.count) && hasOnlyLetters(text, and: "-_:.")
    }
    /// The name of a quota's resource, which may have the name of a type.
    static let resourceName = pattern("^[a-zA-Z0-9-_:. ]{1,300}$") { text in
        (1...300).contains(text.unicodeScalars.count)
    }
    /// A text without control characters and without separators other than spaces.
    static let printable = pattern("^[ -~]*$") { text in
        text.unicodeScalars.allSatisfy { scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: false
            default: true
            }
        }
    }
    /// The name of a host, a backend and a pool.
    static let place = pattern("^[a-zA-Z0-9-._#@:/+\\[\\]]*$") { hasOnlyLetters($0, and: "-._#@:/+[]") }
}

extension Shape {
    static let largestInteger: Int64 = 0x7fff_ffff
    /// A connector, whose members only hosts and drivers understand.
    static let connector = Shape.object([], open: true)
}

extension Form where Value == String? {
    /// A UUID or null, in the words of a schema with alternatives.
    static let uuidOrNull = Form(.either([.uuid, .null])) { json, _ in json.string }
    /// A text of at most 255 characters, or null.
    static let shortText = Form.nullable(.string(0...255))
    /// A printable text of at most 255 characters, or null.
    static let printable = Form.nullable(.string(0...255, .printable))
    /// A name or a description: a text or null, of at most 255 characters when the white space at its ends is gone.
    static func words(_ what: String) -> Form {
        Form.nullable(.string()).mapped { text in
            guard let text = text?.trimmed else { return nil }
            guard text.unicodeScalars.count <= 255 else {
                throw VolumeRefusal.input("\(what) has \(text.unicodeScalars.count) characters, more than 255.")
            }
            return text
        }
    }
}

extension Form where Value == String {
    /// A name that is not blank.
    static let filledName = Form.string(1...255).mapped { text in
        guard !text.trimmed.isEmpty else {
            throw CloudError.badRequest("An invalid 'name' value was provided. The 'name' can not be empty.")
        }
        return text
    }
}

extension Form where Value == JSONObject {
    /// Pairs of texts, such as a user's metadata.
    static let metadata = Form.pairs(.propertyName, .string(0...255))

    /// Returns the form of an object whose members have a shape. It keeps the order of the members.
    static func pairs(_ names: TextFormat, _ values: Shape, _ counts: ClosedRange<Int> = 0...Int.max) -> Form {
        Form(.map(names, values, counts)) { $0.object }
    }
    static let anything = Form(.openObject) { $0.object }
}
