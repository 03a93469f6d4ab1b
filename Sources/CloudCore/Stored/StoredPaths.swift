/// The members of a stored value that a reader asks for, by their names. A dot leads into an object: `flavor.name`. A
/// question mark stands behind a member that may be missing: `image?.id`.
///
/// Names are compared as two words, so a name of more than 16 bytes is never found.
package struct StoredPaths: Sendable {
    /// A name of at most 16 bytes, which its length, its first and its last eight bytes identify.
    struct Name: Sendable, Equatable {
        let first: UInt64
        let last: UInt64

        static let longest = 16

        /// The bytes that must follow a text in which names are read, since each is read as a word.
        static let padding = 8

        /// Reads the name that begins at `start` in a text with its padding.
        init(_ text: UnsafeRawBufferPointer, at start: Int, length: Int) {
            let word = UInt64(littleEndian: text.loadUnaligned(fromByteOffset: start, as: UInt64.self))
            guard length < 8 else {
                let end = text.loadUnaligned(fromByteOffset: start + length - 8, as: UInt64.self)
                (first, last) = (word, UInt64(littleEndian: end))
                return
            }
            (first, last) = (word & (1 << UInt64(8 * length) - 1), 0)
        }

        init(_ text: some StringProtocol) {
            let padded = Array(text.utf8) + [UInt8](repeating: 0, count: Self.padding)
            self = padded.withUnsafeBytes { Name($0, at: 0, length: padded.count - Self.padding) }
        }
    }

    /// A member that is asked for, or that has one inside.
    struct Member: Sendable {
        let name: Name
        let length: Int
        /// The number of the path that ends here; -1 for none.
        var path = -1
        /// The number of the object with the members that are asked for; -1 for none.
        var inner = -1
    }

    /// The members of one object that are asked for, in the order of their lengths.
    struct Object: Sendable {
        var members: [Member] = []
        /// The place of the first member of each length, and of the end.
        var starts = [Int](repeating: 0, count: Name.longest + 2)

        func member(_ name: Name, _ length: Int) -> Member? {
            guard length <= Name.longest else { return nil }
            for at in starts[length]..<starts[length + 1] where members[at].name == name { return members[at] }
            return nil
        }

        /// Returns the place of a member, which is added if it is new.
        fileprivate mutating func place(of text: Substring) -> Int {
            let (name, length) = (Name(text), text.utf8.count)
            if let at = members.firstIndex(where: { $0.length == length && $0.name == name }) { return at }
            members.append(Member(name: name, length: length))
            return members.count - 1
        }
    }

    private(set) var objects = [Object()]
    /// The number of paths.
    let count: Int
    /// The numbers of the paths whose members every value has.
    let required: [Int]

    package init(_ paths: [String]) {
        count = paths.count
        required = paths.indices.filter { !paths[$0].contains("?") }
        for (number, path) in paths.enumerated() {
            var object = 0
            let names = path.replacing("?", with: "").split(separator: ".")
            for (depth, name) in names.enumerated() {
                let at = objects[object].place(of: name)
                if depth == names.count - 1 {
                    objects[object].members[at].path = number
                } else {
                    if objects[object].members[at].inner < 0 {
                        objects[object].members[at].inner = objects.count
                        objects.append(Object())
                    }
                    object = objects[object].members[at].inner
                }
            }
        }
        for at in objects.indices {
            objects[at].members.sort { $0.length < $1.length }
            for length in 0...Name.longest + 1 {
                objects[at].starts[length] =
                    objects[at].members.firstIndex { $0.length >= length } ?? objects[at].members.count
            }
        }
    }
}
