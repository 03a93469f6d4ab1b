import AsyncHTTPClient
import CloudCore
import ControlPlane
import NIOCore
import NIOHTTP1

/// A client that is logged in to a cloud with one account. It uses only the public API, like any other client.
struct CloudClient: Sendable {
    private let token: String
    private let endpoints: [String: String]
    let userName: String

    /// The name for the operator's API in `call`. The service catalog has no such service.
    static let operatorService = "novella"
    private static let patience = TimeAmount.seconds(60)
    private static let mostBytes = 16 << 20

    /// The HTTP client of all commands. It does not retry refused connections: a cloud that refuses them is not
    /// running.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    /// Logs in.
    init(_ cloud: KnownCloud, user: String, password: String) async throws {
        let domain: JSON = ["id": "default"]
        let body: JSON = [
            "auth": [
                "identity": [
                    "methods": ["password"], "password": ["user": ["name": .string(user), "domain": domain, "password": .string(password)]],
                ],
                "scope": ["project": ["name": .string(user), "domain": domain]],
            ]
        ]
        let (headers, answer) = try await Self.exchange("POST", cloud.authURL + "/auth/tokens", [:], .bytes(ByteBuffer(string: body.text)))
        guard let token = headers["x-subject-token"] else { throw ClientError("The cloud gave no token to \(user).") }
        self.token = token
        userName = user
        var endpoints: [String: String] = [:]
        for service in answer["token"]?["catalog"]?.array ?? [] {
            let mine = service["endpoints"]?.array?.first { $0["interface"] == "public" && $0["region_id"]?.string == cloud.region }
            if let type = service["type"]?.string, let url = mine?["url"]?.string { endpoints[type] = url }
        }
        endpoints[Self.operatorService] = cloud.operatorURL
        self.endpoints = endpoints
    }

    /// - Parameter service: the type of the service in the catalog.
    ///
    /// - Throws: `ClientError` with the cloud's own message for any status but a 2xx.
    @discardableResult
    func call(_ method: String, _ service: String, _ path: String, _ body: JSON? = nil) async throws -> JSON {
        try await send(method, service, path, type: "application/json", body.map { .bytes(ByteBuffer(string: $0.text)) }).body
    }

    /// Returns the headers of the answer. Their names are in lower case.
    func headers(_ method: String, _ service: String, _ path: String) async throws -> [String: String] {
        try await send(method, service, path, type: "application/json", nil).headers
    }

    func upload(_ bytes: ByteBuffer, to path: String) async throws {
        _ = try await send("PUT", "image", path, type: "application/octet-stream", .bytes(bytes))
    }

    private func send(
        _ method: String, _ service: String, _ path: String, type: String, _ body: HTTPClientRequest.Body?
    ) async throws -> (headers: [String: String], body: JSON) {
        guard let base = endpoints[service] else { throw ClientError("The cloud's catalogue has no \(service).") }
        var headers = ["x-auth-token": token]
        if body != nil { headers["content-type"] = type }
        return try await Self.exchange(method, base + path, headers, body)
    }

    private static func exchange(
        _ method: String, _ url: String, _ headers: [String: String], _ body: HTTPClientRequest.Body?
    ) async throws -> (headers: [String: String], body: JSON) {
        var request = HTTPClientRequest(url: url)
        request.method = .RAW(value: method)
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        if headers["content-type"] == nil, body != nil { request.headers.add(name: "content-type", value: "application/json") }
        request.body = body
        let response: HTTPClientResponse
        do { response = try await http.execute(request, timeout: patience) } catch {
            throw ClientError("\(url) does not answer: is the cloud running? (\(error))")
        }
        let bytes = try await response.body.collect(upTo: mostBytes)
        let text = String(buffer: bytes)
        guard (200..<300).contains(response.status.code) else { 
            throw ClientError(Self.message(of: text) ?? "\(method) \(url): \(response.status.code) \(text.prefix(500))")
        }
        let known = Dictionary(response.headers.map { ($0.name.lowercased(), $0.value) }) { first, _ in first }
        return (known, (try? JSON.parse(text)) ?? .null)
    }
}

extension CloudClient {
    /// Returns the message of an error in the form of Identity and the operator's API; nil for other answers.
    private static func message(of text: String) -> String? {
        (try? JSON.parse(text))?["error"]?["message"]?.string
    }
}

struct ClientError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
