import CloudCore

/// The names and values that the query of a URL may have, in the words of Nova's and Cinder's schemas.
package struct QueryShape: Sendable {
    private let named: [(name: String, shape: Shape)]
    /// The names that may occur only once.
    private let single: Set<String>
    /// The first minor version that refuses a name that is not listed; nil for the API's own (`queriesClosedSince`).
    private let closedSince: Int?

    package init(_ named: [(String, Shape)] = [], single: Set<String> = [], closedSince: Int? = nil) {
        // The values of a query are always strings: a shape that fits no string would refuse every value.
        assert(named.allSatisfy { !Set($0.1.typeNames).isDisjoint(with: ["string", "any"]) })
        self.named = named.map { (name: $0.0, shape: $0.1) }
        self.single = single
        self.closedSince = closedSince
    }

    package static let none = QueryShape()
    package static let paged: [(String, Shape)] = [("limit", .natural), ("marker", .any)]

    /// Checks the query of a call.
    ///
    /// - Throws: `CloudError.badRequest` that names the parameter.
    func check<Prepared: PreparedCall>(_ prepared: Prepared) throws {
        let (query, minor) = (prepared.call.query, prepared.minor)
        for (name, shape) in named {
            ShapeTrace.note(.query(name, shape))
            let values = query.items.filter { $0.name == name }.map { JSON.string($0.value) }
            if single.contains(name), values.count > 1 {
                throw Self.wrong(name, .array(values), "\(JSON.array(values).quoted) is too long")
            }
            for value in values {
                if let mismatch = Prepared.dialect.mismatch(value, shape, minor: minor) {
                    throw Self.wrong(name, value, mismatch.schemaWords(limit: 1000))
                }
            }
        }
        guard minor >= closedSince ?? Prepared.queriesClosedSince else { return }
        let unknown = Set(query.items.map(\.name)).filter { name in !named.contains { $0.name == name } }
        guard !unknown.isEmpty else { return }
        let names = unknown.sorted().map { "'\($0.prefix(255))'" }.joined(separator: ", ")
        throw CloudError.badRequest(
            "Additional properties are not allowed (\(names) \(unknown.count == 1 ? "was" : "were") unexpected)")
    }

    private static func wrong(_ name: String, _ value: JSON, _ what: String) -> CloudError {
        .badRequest("Invalid input for query parameters \(name). Value: \(value.shown). \(what)")
    }
}
