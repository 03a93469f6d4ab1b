import CloudCore
import HTTPTypes
import SQL
import TestSupport
import Testing

/// A client of the metadata definitions.
struct MetadefClient {
    let cloud: TestCloud
    let token: String?

    static let namespaces = "/namespaces"
    /// The namespace of most tests, which has one or more things of each kind.
    static let hypervisor: JSON = [
        "namespace": "OS::Compute::Hypervisor", "display_name": "Hypervisor", "description": "Where it runs.", "visibility": "public",
        "resource_type_associations": [
            ["name": "OS::Glance::Image", "prefix": "hw_"], ["name": "OS::Cinder::Volume", "prefix": "hw_", "properties_target": "image"],
        ],
        "properties": [
            "cores": ["title": "Cores", "type": "integer", "minimum": 1, "default": 2, "operators": ["<or>"]],
            "kind": ["title": "Kind", "type": "string", "enum": ["kvm", "qemu"], "readonly": false],
        ],
        "objects": [
            [
                "name": "CPU Limits", "description": "How much.", "required": ["quota"],
                "properties": [
                    "quota": ["title": "Quota", "type": "integer", "maximum": 100], "shares": ["title": "S", "type": "integer"],
                ],
            ]
        ],
        "tags": [["name": "first"], ["name": "second"]],
    ]

    /// Returns an administrator's client of a cloud, after deleting the definitions that come with it.
    static func admin(_ cloud: TestCloud) async throws -> MetadefClient {
        try await cloud.database.write { tx in try tx.execute("DELETE FROM image_metadef_namespace WHERE owner = 'admin'") }
        return MetadefClient(cloud: cloud, token: try await cloud.token())
    }

    /// Runs `body` with a new cloud that has no definitions, and an administrator's client.
    static func run(
        on kind: DatabaseKind = .usual, _ body: (TestCloud, MetadefClient) async throws -> Void
    ) async throws {
        try await TestCloud.run(on: kind) { cloud in try await body(cloud, try await admin(cloud)) }
    }

    static func member(_ cloud: TestCloud) async throws -> MetadefClient {
        MetadefClient(
            cloud: cloud, token: try await cloud.memberToken())
    }

    /// Sends a request.
    ///
    /// - Parameter path: the path below `/v2/metadefs`.
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, headers: HTTPFields = [:]
    ) async -> TestCloud.Response {
        var headers = headers
        headers[.accept] = headers[.accept] ?? "application/json"
        return await cloud.send(method, "/image/v2/metadefs" + path, token: token, json: json, headers: headers)
    }

    /// Sends a request that must have the given status, and returns the answer.
    @discardableResult
    func ask(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, _ expected: HTTPResponse.Status = .ok,
        at location: SourceLocation = #_sourceLocation
    ) async -> JSON {
        let response = await send(method, path, json)
        #expect(response.status == expected, "\(method) \(path): \(response.text)", sourceLocation: location)
        return response.json
    }

    /// Makes a namespace with only the given members.
    func namespace(_ name: String, _ more: JSONObject = [:], at location: SourceLocation = #_sourceLocation) async {
        var body = more
        body["namespace"] = .string(name)
        await ask(.post, Self.namespaces, .object(body), .created, at: location)
    }

    func names(
        _ path: String, _ list: String, _ key: String = "name", at location: SourceLocation = #_sourceLocation
    ) async -> [String] {
        await ask(.get, path, at: location)[list]?.array?.compactMap { $0[key]?.string } ?? []
    }

    /// Sends a request that must be refused, and checks the envelope.
    func refuses(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, _ status: HTTPResponse.Status, saying text: String = "",
        at location: SourceLocation = #_sourceLocation
    ) async {
        let response = await send(method, path, json)
        #expect(response.status == status, "\(method) \(path): \(response.text)", sourceLocation: location)
        #expect(response.json["message"]?.string?.contains(text) == true, "\(response.text)", sourceLocation: location)
    }
}
