import CloudCore
import HTTPKit
import HTTPTypes

/// The volumes or the snapshots of Block Storage, as Compute's older API has them. Each request is sent on with the
/// caller's token, so Block Storage checks the caller's rights as well.
struct StorageThings: Sendable {
    /// One thing, in the words of bodies and, as the raw value, of errors.
    enum Noun: String, Sendable {
        case volume = "Volume"
        case snapshot = "Snapshot"
    }

    private let apis: OtherAPIs
    private let noun: Noun

    init(_ noun: Noun, _ need: any OtherAPIsNeed, _ call: ComputeCall) {
        self.noun = noun
        apis = OtherAPIs(need, call)
    }

    static let listQuery = QueryShape([("limit", .natural), ("offset", .natural)])

    /// Returns the page of the caller's things that the query asks for, the newest first.
    func list(_ call: ComputeCall) async throws -> [JSON] {
        let page = try call.pageByOffset()
        let offset = min(page.offset, Int(Shape.largestInteger))
        let query = [("limit", "\(page.limit)"), ("offset", "\(offset)")]
        return try await send(.get, "/detail", query)["\(noun)s"]?.array ?? []
    }

    /// Returns one thing.
    ///
    /// - Throws: `notFound` for a thing that the caller does not see.
    func get(_ id: String) async throws -> JSON {
        try await send(.get, try path(id))["\(noun)"] ?? [:]
    }

    /// Makes a thing, and returns it as it is then.
    ///
    /// - Parameter wish: the members of Block Storage's body; one that is nil is left out.
    func create(_ wish: [String: JSON?]) async throws -> JSON {
        let given = JSONObject(wish.compactMap { name, value in value.map { (name, $0) } }.sorted { $0.0 < $1.0 })
        return try await send(.post, "", [], .object(["\(noun)": .object(given)]))["\(noun)"] ?? [:]
    }

    /// Begins to delete a thing.
    ///
    /// - Throws: `notFound` for a thing that the caller does not see; `badRequest` for one that is in use.
    func delete(_ id: String) async throws { _ = try await send(.delete, try path(id)) }

    /// Returns the path of one thing. A word that is no id could name another resource of Block Storage.
    private func path(_ id: String) throws -> String {
        guard UUIDText.normal(id) != nil else {
            throw CloudError.notFound("\(noun.rawValue) \(id.prefix(255)) could not be found.")
        }
        return "/" + Percent.encode(id)
    }

    /// Sends a request, and gives Block Storage's refusals the form of the older API.
    private func send(
        _ method: HTTPRequest.Method, _ path: String, _ query: [(String, String)] = [], _ body: JSON? = nil
    ) async throws -> JSON {
        do {
            return try await apis.storage(method, "/\(noun)s" + path, query, body)
        } catch let error as CloudError {
            switch error.kind {
            case .badRequest: throw CloudError.badRequest("Invalid input received: \(error.message)")
            // The quota of the project is used up.
            case .tooLarge: throw CloudError.forbidden(error.message)
            default: throw error
            }
        }
    }
}
