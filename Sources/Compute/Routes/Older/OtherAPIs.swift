import CloudCore
import HTTPKit
import HTTPTypes

/// The cloud's other APIs, called with the token of one caller. The oldest resources of Compute are made of them.
struct OtherAPIs: Sendable {
    let need: any OtherAPIsNeed
    let token: String

    init(_ need: any OtherAPIsNeed, _ call: ComputeCall) {
        self.need = need
        token = call.call.authToken ?? ""
    }

    /// The last microversion that has the resources of other services.
    static let last = 35
    /// The last microversion that has the metadata of images.
    static let lastForImageMetadata = 38
    /// The last microversion that has actions on a server's addresses.
    static let lastForAddresses = 43

    // MARK: Networking

    func list(_ collection: String, _ query: [(String, String)] = []) async throws -> [JSON] {
        try await need.send(.get, "/network/v2.0/\(collection)" + Self.text(query), nil, token: token)[Self.key(collection)]?.array ?? []
    }

    func get(_ collection: String, _ id: String) async throws -> JSON {
        try await need.send(.get, Self.path(collection, id), nil, token: token)[Self.singular(collection)] ?? [:]
    }

    func create(_ collection: String, _ value: JSON) async throws -> JSON {
        let name = Self.singular(collection)
        return try await need.send(.post, "/network/v2.0/\(collection)", .object([name: value]), token: token)[name] ?? [:]
    }

    @discardableResult
    func update(_ collection: String, _ id: String, _ value: JSON) async throws -> JSON {
        let name = Self.singular(collection)
        return try await need.send(.put, Self.path(collection, id), .object([name: value]), token: token)[name] ?? [:]
    }

    func delete(_ collection: String, _ id: String) async throws {
        _ = try await need.send(.delete, Self.path(collection, id), nil, token: token)
    }

    private static func path(_ collection: String, _ id: String) -> String { "/network/v2.0/\(collection)/\(Percent.encode(id))" }
    private static func key(_ collection: String) -> String { collection.replacing("-", with: "_") }
    private static func singular(_ collection: String) -> String { String(key(collection).dropLast()) }

    static func text(_ query: [(String, String)]) -> String {
        guard !query.isEmpty else { return "" }
        return "?" + query.map { "\(Percent.encode($0.0))=\(Percent.encode($0.1))" }.joined(separator: "&")
    }

    // MARK: Images

    /// Sends a request to Images.
    ///
    /// - Parameter path: the path below `/image/v2/images`.
    func images(_ method: HTTPRequest.Method, _ path: String = "", _ query: [(String, String)] = [], _ body: JSON? = nil) async throws -> JSON {
        try await need.send(method, "/image/v2/images" + path + Self.text(query), body, token: token)
    }

    // MARK: Block Storage

    /// Sends a request to Block Storage, to the first version of its API.
    ///
    /// - Parameter path: the path below `/volume/v3`.
    func storage(
        _ method: HTTPRequest.Method, _ path: String, _ query: [(String, String)] = [], _ body: JSON? = nil
    ) async throws -> JSON {
        try await need.send(method, "/volume/v3" + path + Self.text(query), body, token: token)
    }
}

extension CloudError {
    /// Returns a conflict as a bad request, as the older API does; returns any other error as it is.
    func asBadRequest() -> CloudError { kind == .conflict ? .badRequest(message) : self }
}
