import CloudCore

/// A comparison of two outlines. It finds the changes that make stored values unreadable or change their meaning, in
/// words for the author of the change.
struct ShapeChange {
    /// The earlier outlines of stored values that others name, by their names.
    let before: [String: Shape]
    /// The present outlines of stored values that others name, by their names.
    let now: [String: Shape]
    /// The advice for a part that a release has written and that no longer exists.
    let keep: String

    /// Returns the faults in the change of one outline, each with its place.
    func faults(_ old: Shape, _ new: Shape, at path: String) -> [String] {
        switch (old, new) {
        case (.named(let one), .named(let other)) where one == other: return []
        case (.named(let name), _): return before[name].map { faults($0, new, at: path) } ?? other(old, new, path)
        case (_, .named(let name)): return now[name].map { faults(old, $0, at: path) } ?? other(old, new, path)
        case (.leaf(let one), .leaf(let other)) where Self.reads(one, as: other): return []
        case (.words(let words), .leaf("text")) where words.allSatisfy({ $0.string != nil }): return []
        case (.words(let words), .words(let others)):
            return words.filter { !others.contains($0) }.map { gone("The word \($0.text) of \(path)") }
        case (.list(let one), .list(let other)): return faults(one, other, at: path + "[]")
        case (.map(let one), .map(let other)): return faults(one, other, at: path + ".*")
        case (.object(let one), .object(let other)): return faults(one, other, at: path)
        case (.choice(let one), .choice(let other)): return faults(one, other, at: path)
        default: return other(old, new, path)
        }
    }

    private func faults(_ old: [String: Shape], _ new: [String: Shape], at path: String) -> [String] {
        old.sorted { $0.key < $1.key }.flatMap { name, shape in
            new[name].map { faults(shape, $0, at: "\(path).\(name)") } ?? [gone("The case `\(path).\(name)`")]
        }
    }

    private func faults(_ old: [String: Shape.Member], _ new: [String: Shape.Member], at path: String) -> [String] {
        let kept = old.sorted { $0.key < $1.key }.flatMap { name, member -> [String] in
            let place = "\(path).\(name)"
            guard let other = new[name] else { return [gone("`\(place)`")] }
            return presence(member.presence, other.presence, place) + faults(member.shape, other.shape, at: place)
        }
        let added = new.filter { old[$0.key] == nil && $0.value.presence == .required }.keys.sorted()
        return kept
            + added.map { name in
                """
                `\(path).\(name)` is new, and what was written before does not have it: Swift's decoding ignores an initial value. \
                Give it a default, as `@Defaulted<Default.False> var \(name) = false`, or make it Optional.
                """
            }
    }

    private func presence(_ old: Shape.Presence, _ new: Shape.Presence, _ place: String) -> [String] {
        switch (old, new) {
        case (.optional, .required), (.defaulted, .required):
            return ["`\(place)` could be missing in what was written before. Make it Optional or `@Defaulted` again."]
        case (.defaulted(let one), .defaulted(let two)) where one != two:
            return ["What was written without `\(place)` meant \(one.text), and would mean \(two.text). Keep the default."]
        default: return []
        }
    }

    /// Returns whether every value of one kind of single value is valid for the other kind.
    private static func reads(_ old: String, as new: String) -> Bool {
        old == new || (old.hasPrefix("text") && new == "text") || (old.hasPrefix("integer") && ["integer", "number"].contains(new))
    }

    private func gone(_ what: String) -> String {
        "\(what) is not there any more, or has another name, and what was written before has it. \(keep)"
    }

    private func other(_ old: Shape, _ new: Shape, _ path: String) -> [String] {
        ["`\(path)` was \(old.json.text) and is \(new.json.text). \(keep)"]
    }
}
