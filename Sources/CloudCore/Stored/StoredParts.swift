/// The chosen members of one stored value. They are found in one pass over its document, and written into an answer
/// without making the value.
package struct StoredParts {
    private let document: StoredDocument
    /// The number of each path's entry in the document; -1 for a member that is missing or null.
    private var places: [Int32]

    /// - Throws: the error of a text that is no JSON or does not have a member that every value has.
    init(_ paths: StoredPaths, of text: String) throws {
        document = try StoredDocument(text.utf8)
        places = [Int32](repeating: -1, count: paths.count)
        find(0, of: paths, at: 0)
        for path in paths.required where places[path] < 0 {
            throw StoredDocument.Unreadable(description: "no member of the path \(path)")
        }
    }

    private mutating func find(_ object: Int, of paths: StoredPaths, at place: Int) {
        guard document.entries[place].kind == .object else { return }
        var at = place + 1
        for _ in 0..<document.entries[place].count {
            if let member = document.member(of: paths.objects[object], named: at) {
                if member.path >= 0, document.entries[at + 1].kind != .null { places[member.path] = Int32(at + 1) }
                if member.inner >= 0 { find(member.inner, of: paths, at: at + 1) }
            }
            at = Int(document.entries[at + 1].next)
        }
    }

    private func entry(_ path: Int) -> StoredDocument.Entry? {
        places[path] < 0 ? nil : document.entries[Int(places[path])]
    }

    package func has(_ path: Int) -> Bool { places[path] >= 0 }

    /// Returns a text; nil if the member is missing or something else.
    package func text(_ path: Int) -> String? {
        guard let entry = entry(path), entry.kind == .string || entry.kind == .escapedString else { return nil }
        return try? document.text(entry)
    }

    /// Returns a whole number; nil if the member is missing or something else.
    package func integer(_ path: Int) -> Int64? {
        guard let entry = entry(path), entry.kind == .number else { return nil }
        return document.integer(entry)
    }

    /// Returns whether a member is true.
    package func isTrue(_ path: Int) -> Bool { entry(path)?.kind == .yes }

    // MARK: Writing

    /// Writes a member's value as an answer has it: objects of texts are in the order of their keys. A value that
    /// the answer writes in the same way is copied.
    ///
    /// - Parameter other: the text in place of a member that is missing; nil for null.
    package func write(_ path: Int, otherwise other: StaticString? = nil, into json: inout JSONWriter) {
        if places[path] >= 0 {
            write(entry: Int(places[path]), into: &json)
        } else if let other {
            json.string(other)
        } else {
            json.null()
        }
    }

    private func write(entry at: Int, into json: inout JSONWriter) {
        let entry = document.entries[at]
        switch entry.kind {
        case .string: json.copy(document.bytes(entry, with: 1))
        case .escapedString: json.string((try? document.text(entry)) ?? "")
        case .number:
            if let number = document.integer(entry) { json.integer(number) } else { json.copy(document.bytes(entry)) }
        case .yes: json.bool(true)
        case .no: json.bool(false)
        case .null: json.null()
        case .array:
            var element = at + 1
            json.array(of: 0..<entry.count) { json, _ in
                write(entry: element, into: &json)
                element = Int(document.entries[element].next)
            }
        case .object:
            if document.isPlainMap(at) { json.copy(document.bytes(entry)) } else { sort(at, into: &json) }
        }
    }

    /// Writes an object of texts that may have its members in another order than answers, or other escapes.
    private func sort(_ at: Int, into json: inout JSONWriter) {
        var members: [(key: String, place: Int)] = []
        var place = at + 1
        for _ in 0..<document.entries[at].count {
            members.append(((try? document.text(document.entries[place])) ?? "", place + 1))
            place = Int(document.entries[place + 1].next)
        }
        members.sort { $0.key < $1.key }
        json.object { json in
            for (key, place) in members {
                json.key(dynamic: key)
                write(entry: place, into: &json)
            }
        }
    }
}

extension StoredDocument {
    /// Returns what is asked for of a member.
    ///
    /// - Parameter at: the number of the entry with the member's name.
    fileprivate func member(of object: StoredPaths.Object, named at: Int) -> StoredPaths.Member? {
        let entry = entries[at]
        guard entry.kind == .string else {
            return (try? text(entry)).flatMap { object.member(.init($0), $0.utf8.count) }
        }
        return object.member(name(entry), Int(entry.end - entry.start))
    }

    /// Returns whether an object consists of texts without escapes, in the order of their keys, and nothing else.
    fileprivate func isPlainMap(_ at: Int) -> Bool {
        let object = entries[at]
        var (place, length, last) = (at + 1, 1 + max(1, Int(object.count)), at)
        for number in 0..<object.count {
            let (key, value) = (entries[place], entries[place + 1])
            guard key.kind == .string, value.kind == .string, bytes(key).allSatisfy({ $0 < 0x80 }),
                number == 0 || bytes(entries[last]).lexicographicallyPrecedes(bytes(key))
            else { return false }
            // The quotes and the colon.
            length += Int(key.end - key.start) + Int(value.end - value.start) + 5
            (last, place) = (place, Int(value.next))
        }
        // Otherwise there is space between the values.
        return length == Int(object.end - object.start)
    }
}
