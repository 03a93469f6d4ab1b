package import CloudCore

/// A maker of JSON with a given outline, as an older or a newer release may have written it.
package struct ShapeExamples {
    /// The outlines of stored values that others name.
    let named: [String: Shape]
    /// Whether each object gets a member that no release knows.
    let hasMore: Bool

    package init(_ outlines: StoredOutlines, hasMore: Bool) {
        named = outlines.all.compactMapValues { $0.shapes["value"] }
        self.hasMore = hasMore
    }

    /// Returns one example for each case of each enum. The first example is as short as possible.
    package func all(of shape: Shape) -> [JSON] {
        switch shape {
        case .leaf(let word): [leaf(word)]
        case .words(let words): words
        case .list(let element): [[]] + all(of: element).map { [$0] }
        case .map(let element): [[:]] + all(of: element).map { .object(["key": $0]) }
        case .named(let name): named[name].map(all) ?? []
        case .choice(let cases):
            cases.sorted { $0.key < $1.key }.flatMap { name, payload in all(of: payload).map { .object([name: $0]) } }
        case .object(let members): objects(members)
        }
    }

    private func objects(_ members: [String: Shape.Member]) -> [JSON] {
        let needed = members.filter { $0.value.presence == .required }
            .compactMap { name, member in all(of: member.shape).first.map { (name, $0) } }
        let least = object(needed)
        return [least]
            + members.sorted { $0.key < $1.key }.flatMap { name, member in
                all(of: member.shape).dropFirst(member.presence == .required ? 1 : 0).map { value in
                    var whole = least.object ?? JSONObject()
                    whole[name] = value
                    return .object(whole)
                }
            }
    }

    private func object(_ members: [(String, JSON)]) -> JSON {
        .object(JSONObject(members + (hasMore ? [("ofANewerRelease", ["what": "nobody knows"])] : [])))
    }

    private func leaf(_ word: String) -> JSON {
        if let sample = ShapeSample.all.first(where: { $0.word == word }) { return .string(sample.text) }
        return switch word {
        case "truth": true
        case "bytes": "AA=="
        default: 1
        }
    }
}
