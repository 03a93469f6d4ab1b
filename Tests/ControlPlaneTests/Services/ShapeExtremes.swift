import CloudCore
import HTTPKit

/// The largest value that a place in a body takes, and one that is larger by one.
struct ShapeExtreme: Sendable {
    /// The members and positions from the outermost value to the place.
    let place: [Step]
    /// Nil if the largest value cannot be made: its format is not known here.
    let taken: JSON?
    /// Nil if nothing is too large, or if another form of the place would take it.
    let refused: JSON?

    enum Step: Sendable, Equatable {
        case member(String)
        case first
    }

    var name: String {
        place.map { step in if case .member(let name) = step { name } else { "0" } }.joined(separator: "/")
    }
}

/// Values of shapes, made from the shapes alone.
struct ShapeValues {
    let minor: Int

    // MARK: A small value

    /// Returns a small value that the shape takes.
    func sample(_ shape: Shape) -> JSON {
        switch shape {
        case .any: "x"
        case .null: .null
        case .boolean, .truth: true
        case .integer(let range), .whole(let range): .integer(range.contains(1) ? 1 : range.lowerBound)
        case .number(let most): .number(min(1, most))
        case .numeral(let least, let most): .number(min(most, least + 1))
        case .string(let lengths, let format): .string(Self.text(lengths.lowerBound, orMore: lengths, format) ?? "x")
        case .oneOf(let words): .string(words.first ?? "x")
        case .array(let inner, let counts, let unique): elements(inner, counts.lowerBound, unique)
        case .object(let members): .object(object(members))
        case .nullable(let inner): sample(inner)
        case .either(let shapes): shapes.first.map(sample) ?? .null
        }
    }

    private func object(_ members: Shape.Members) -> JSONObject {
        var object = JSONObject()
        for member in members.named where isThere(member) && member.requiredSince.map({ minor >= $0 }) == true {
            object[member.name] = sample(member.shape)
        }
        if let name = members.anyOf.first, let member = members.named.first(where: { $0.name == name && isThere($0) }) {
            object[name] = sample(member.shape)
        }
        return filled(object, members, members.counts.lowerBound)
    }

    private func isThere(_ member: Shape.Member) -> Bool { member.versions.contains(minor) }

    /// Returns the object with as many members as wanted, if the shape allows names of a format.
    private func filled(_ given: JSONObject, _ members: Shape.Members, _ count: Int) -> JSONObject {
        var object = given
        guard let (format, shape) = members.matching.first, count > object.count, count < 100_000 else { return object }
        let value = sample(shape)
        for number in 0..<count where object.count < count {
            let names = ["n\(number)", "CUSTOM_N\(number)", "\(number)"]
            if let name = names.first(where: format.allows) { object[name] = value }
        }
        return object
    }

    private func elements(_ shape: Shape, _ count: Int, _ unique: Bool) -> JSON {
        guard unique, count > 1 else { return .array(Array(repeating: sample(shape), count: count)) }
        return .array(
            (0..<count).map { number in
                if case .string = shape { .string("e\(number)") } else { sample(shape) }
            })
    }

    // MARK: Texts

    private static let examples = [
        "x", "1", "0123456789abcdef0123456789abcdef", "01234567-89ab-4def-8123-456789abcdef", "192.0.2.1",
        "192.0.2.0/24", "2001:db8::1", "http://example.org", "2030-01-01T00:00:00Z", "2030-01-01T00:00:00.000000Z",
        "AAAA", "CUSTOM_X", "HW_CPU_X86_AVX", "fa:16:3e:00:00:01", "ssh-ed25519 AAAA", "a:b", "/x", "x.y",
    ]
    private static let letters = ["a", "1", "A", "0"]
    private static let beginnings = ["", "http://", "/", "CUSTOM_", "a:", "ssh-ed25519 "]

    /// Returns a text of the given length that the format allows, or else of another allowed length; nil if none is
    /// known.
    static func text(_ length: Int, orMore lengths: ClosedRange<Int>, _ format: TextFormat) -> String? {
        text(length, format) ?? examples.first { lengths.contains($0.unicodeScalars.count) && format.allows($0) }
    }

    /// Returns a text of a length that the format allows; nil if none is known.
    static func text(_ length: Int, _ format: TextFormat) -> String? {
        guard length < 1 << 21 else { return nil }
        for beginning in beginnings where beginning.utf8.count <= length {
            for letter in letters {
                let text = beginning + String(repeating: letter, count: length - beginning.utf8.count)
                if format.allows(text) { return text }
            }
        }
        return nil
    }
}

// MARK: Large values

extension ShapeValues {
    /// Returns the extremes of every place in a shape.
    func extremes(of shape: Shape, at place: [ShapeExtreme.Step] = []) -> [ShapeExtreme] {
        func extreme(_ taken: JSON?, _ refused: JSON?) -> ShapeExtreme {
            ShapeExtreme(place: place, taken: taken, refused: refused)
        }
        switch shape {
        case .any, .null, .boolean, .truth, .oneOf: return []
        case .integer(let range), .whole(let range):
            let most = range.upperBound
            return [extreme(.integer(most), most == .max ? nil : .integer(most + 1))]
        case .number(let most), .numeral(_, let most): return [extreme(.number(most), .number(most * 2 + 1))]
        case .string(let lengths, let format):
            guard lengths.upperBound < 1 << 20 else { return [] }
            let longest = Self.text(lengths.upperBound, format)
            let tooLong = String(repeating: "a", count: lengths.upperBound + 1)
            return [extreme(longest.map(JSON.string), .string(tooLong))]
        case .array(let inner, let counts, let unique):
            let own = counts.upperBound < 100_000 ? [array(inner, counts.upperBound, unique, at: place)] : []
            return own + extremes(of: inner, at: place + [.first])
        case .object(let members): return self.members(members, at: place)
        case .nullable(let inner): return extremes(of: inner, at: place)
        case .either(let shapes):
            let all = shapes.flatMap { extremes(of: $0, at: place) }
            return all.map { ShapeExtreme(place: $0.place, taken: $0.taken, refused: nil) }
        }
    }

    private func array(_ inner: Shape, _ count: Int, _ unique: Bool, at place: [ShapeExtreme.Step]) -> ShapeExtreme {
        ShapeExtreme(place: place, taken: elements(inner, count, unique), refused: elements(inner, count + 1, unique))
    }

    private func members(_ members: Shape.Members, at place: [ShapeExtreme.Step]) -> [ShapeExtreme] {
        var all = members.named.filter(isThere).flatMap { extremes(of: $0.shape, at: place + [.member($0.name)]) }
        if let (format, shape) = members.matching.first {
            // An object that may have only one member has it already.
            if let name = (object(members).keys + ["x", "1", "CUSTOM_X"]).first(where: format.allows) {
                all += extremes(of: shape, at: place + [.member(name)])
            }
            let most = members.counts.upperBound
            if most < 100_000 {
                let (whole, more) = (filled(object(members), members, most), filled(object(members), members, most + 1))
                all.append(.init(place: place, taken: .object(whole), refused: .object(more)))
            }
        }
        return all
    }

    /// Returns the body with a value at a place. Values that are missing on the way are made from the shape.
    func put(_ value: JSON, at place: [ShapeExtreme.Step], in body: JSON, _ shape: Shape) -> JSON {
        guard let step = place.first else { return value }
        let rest = Array(place.dropFirst())
        switch step {
        case .member(let name):
            let inner = self.shape(of: name, in: shape)
            var object = body.object ?? sample(shape).object ?? [:]
            if object[name] == nil, object.count >= mostMembers(of: shape) { object = [:] }
            object[name] = put(value, at: rest, in: object[name] ?? sample(inner), inner)
            return .object(object)
        case .first:
            let inner = element(of: shape)
            var elements = body.array ?? []
            if elements.isEmpty { elements = [sample(inner)] }
            elements[0] = put(value, at: rest, in: elements[0], inner)
            return .array(elements)
        }
    }

    private func mostMembers(of shape: Shape) -> Int {
        switch shape {
        case .object(let members): members.counts.upperBound
        case .nullable(let inner): mostMembers(of: inner)
        default: .max
        }
    }

    private func shape(of name: String, in shape: Shape) -> Shape {
        switch shape {
        case .object(let members):
            members.named.first { $0.name == name && isThere($0) }?.shape ?? members.matching.first?.shape ?? .any
        case .nullable(let inner): self.shape(of: name, in: inner)
        case .either(let shapes):
            shapes.first { if case .object = $0 { true } else { false } }.map { self.shape(of: name, in: $0) } ?? .any
        default: .any
        }
    }

    private func element(of shape: Shape) -> Shape {
        switch shape {
        case .array(let inner, _, _): inner
        case .nullable(let inner): element(of: inner)
        case .either(let shapes): shapes.first { if case .array = $0 { true } else { false } }.map(element) ?? .any
        default: .any
        }
    }
}
