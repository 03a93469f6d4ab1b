import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

/// A cloud with an administrator, and members of two projects.
struct ImagesStage: Sendable {
    let cloud: TestCloud
    let admin: String
    let demo: String
    /// The token of a member of another project.
    let other: String
    let adminProject: String
    let demoProject: String
    let otherProject: String

    static func run(
        on kind: DatabaseKind = .usual, _ configure: (inout Configuration) -> Void = { _ in }, _ body: (ImagesStage) async throws -> Void
    ) async throws {
        try await TestCloud.run(on: kind, configure) { try await body(ImagesStage($0)) }
    }

    private init(_ cloud: TestCloud) async throws {
        self.cloud = cloud
        admin = try await cloud.token()
        demo = try await cloud.memberToken()
        let admin = admin
        func id(_ path: String, _ noun: String, _ body: JSON) async throws -> String {
            let made = await cloud.send(.post, path, token: admin, json: [noun: body])
            return try #require(made.json[noun]?["id"]?.string, "\(made.text)")
        }
        func found(_ path: String, _ list: String) async throws -> String {
            try #require(await cloud.send(.get, path, token: admin).json[list]?.array?.first?["id"]?.string)
        }
        otherProject = try await id("/v3/projects", "project", ["name": "other", "domain_id": "default"])
        let user = try await id("/v3/users", "user", ["name": "other", "domain_id": "default", "password": "the-password-of-other"])
        let role = try await found("/v3/roles?name=member", "roles")
        _ = await cloud.send(.put, "/v3/projects/\(otherProject)/users/\(user)/roles/\(role)", token: admin)
        other = try await cloud.token(user: "other", password: "the-password-of-other", project: "other")
        adminProject = try await found("/v3/projects?name=admin", "projects")
        demoProject = try await found("/v3/projects?name=demo", "projects")
    }

    // MARK: Asking

    @discardableResult
    func send(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, as token: String?, _ expected: HTTPResponse.Status,
        at location: SourceLocation = #_sourceLocation
    ) async -> TestCloud.Response {
        let response = await cloud.send(method, "/image/v2" + path, token: token, json: json, headers: [.accept: "application/json"])
        #expect(response.status == expected, "\(method) \(path): \(response.text)", sourceLocation: location)
        return response
    }

    /// Makes an image of format raw without data, and returns its id.
    func make(_ members: JSONObject = [:], as token: String? = nil, at location: SourceLocation = #_sourceLocation) async throws -> String {
        var body: JSONObject = ["disk_format": "raw", "container_format": "bare"]
        for (key, value) in members.members { body[key] = value }
        let made = await send(.post, "/images", .object(body), as: token ?? demo, .created, at: location)
        return try #require(made.json["id"]?.string, sourceLocation: location)
    }

    @discardableResult
    func upload(
        _ bytes: [UInt8], to id: String, as token: String? = nil, headers: HTTPFields = [:], _ expected: HTTPResponse.Status = .noContent,
        at location: SourceLocation = #_sourceLocation
    ) async -> TestCloud.Response {
        let response = await cloud.send(
            .put, "/image/v2/images/\(id)/file", token: token ?? demo, bytes: bytes, type: "application/octet-stream", headers: headers)
        #expect(response.status == expected, "\(response.text)", sourceLocation: location)
        return response
    }

    func image(_ id: String, as token: String? = nil, at location: SourceLocation = #_sourceLocation) async -> JSON {
        await send(.get, "/images/\(id)", as: token ?? demo, .ok, at: location).json
    }

    @discardableResult
    func patch(
        _ id: String, _ changes: JSON, as token: String? = nil, form: String = "2.1", _ expected: HTTPResponse.Status = .ok,
        at location: SourceLocation = #_sourceLocation
    ) async -> TestCloud.Response {
        let response = await cloud.send(
            .patch, "/image/v2/images/\(id)", token: token ?? demo, json: changes,
            headers: [.contentType: "application/openstack-images-v\(form)-json-patch"])
        #expect(response.status == expected, "\(changes.text): \(response.text)", sourceLocation: location)
        return response
    }

    /// Returns the names of the images in a list, in its order.
    func names(_ query: String = "", as token: String? = nil, at location: SourceLocation = #_sourceLocation) async -> [String] {
        let list = await send(.get, "/images" + (query.isEmpty ? "" : "?" + query), as: token ?? demo, .ok, at: location).json
        return (list["images"]?.array ?? []).map { $0["name"]?.string ?? "" }
    }
}
