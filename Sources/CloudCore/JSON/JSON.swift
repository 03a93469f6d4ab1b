/// A JSON value without a Swift type of its own: bodies of requests, open attributes, options.
///
/// An object keeps the order of its keys, so that a user gets stored data back as it was written.
package enum JSON: Sendable, Hashable {
    case null
    case bool(Bool)
    case integer(Int64)
    case number(Double)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    /// The name of the type in messages to the caller, as JSON Schema has it.
    package var typeName: String {
        switch self {
        case .null: "null"
        case .bool: "boolean"
        case .integer: "integer"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }

    package var string: String? { if case .string(let value) = self { value } else { nil } }
    package var bool: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
    package var array: [JSON]? { if case .array(let value) = self { value } else { nil } }
    package var object: JSONObject? { if case .object(let value) = self { value } else { nil } }
    package var isNull: Bool { self == .null }

    /// Returns the member of a name if this is an object that has it.
    package subscript(key: String) -> JSON? { object?[key] }

    /// The value as compact JSON text.
    package var text: String {
        var writer = JSONWriter()
        writer.value(self)
        return writer.text
    }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral, ExpressibleByIntegerLiteral, ExpressibleByArrayLiteral,
    ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral, ExpressibleByFloatLiteral
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(integerLiteral value: Int64) { self = .integer(value) }
    package init(floatLiteral value: Double) { self = .number(value) }
    package init(arrayLiteral elements: JSON...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSON)...) { self = .object(JSONObject(elements)) }
    package init(nilLiteral: ()) { self = .null }
}

/// The members of a JSON object, in order. Each name occurs once.
package struct JSONObject: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    package private(set) var members: [(key: String, value: JSON)]
    /// The number of each member by its key. The index exists only when the object has so many members that a search
    /// costs more than a hash.
    private var index: [String: Int]?
    /// The numbers of the members, in rising order. It is nil until a member is removed, because until then the number
    /// of a member is its position.
    private var numbers: [Int]?

    private static let indexedFrom = 12

    package init() { members = [] }

    /// Makes an object. If several members have the same name, the last one wins.
    package init(_ members: some Sequence<(String, JSON)>) {
        self.members = []
        for (key, value) in members { self[key] = value }
    }

    package init(dictionaryLiteral elements: (String, JSON)...) { self.init(elements) }

    package var isEmpty: Bool { members.isEmpty }
    package var count: Int { members.count }
    package var keys: [String] { members.map(\.key) }

    package subscript(key: String) -> JSON? {
        get { position(of: key).map { members[$0].value } }
        set {
            switch (position(of: key), newValue) {
            case (let at?, let value?): members[at].value = value
            case (nil, let value?):
                append(key, value)
            case (let at?, nil):
                // The other members keep their numbers. If they were renumbered at each removal, many removals would
                // take quadratic time.
                if index != nil {
                    if numbers == nil { numbers = Array(members.indices) }
                    numbers?.remove(at: at)
                    index?[key] = nil
                }
                members.remove(at: at)
            case (nil, nil): break
            }
        }
    }

    private func position(of key: String) -> Int? {
        guard let index else { return members.firstIndex { $0.key == key } }
        guard let number = index[key] else { return nil }
        guard let numbers else { return number }
        // This finds the first number that is not smaller, because the numbers rise.
        var (low, high) = (0, numbers.count)
        while low < high {
            let middle = (low + high) / 2
            if numbers[middle] < number { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func append(_ key: String, _ value: JSON) {
        members.append((key, value))
        if index != nil {
            let number = (numbers.map { $0.last ?? -1 } ?? members.count - 2) + 1
            numbers?.append(number)
            index?[key] = number
        } else if members.count >= Self.indexedFrom {
            index = Dictionary(uniqueKeysWithValues: members.enumerated().map { ($1.key, $0) })
        }
    }

    /// Returns whether both objects have the same members, in any order.
    package static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(members.count)
        hasher.combine(Set(members.map(\.key)))
    }
}
