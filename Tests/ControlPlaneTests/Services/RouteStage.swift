import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A cloud in which routes are tried, with tokens of an administrator and of a member of the project `demo`.
struct RouteStage: Sendable {
    let cloud: TestCloud
    let admin: String
    let member: String

    init(_ cloud: TestCloud) async throws {
        self.cloud = cloud
        admin = try await cloud.token()
        member = try await cloud.memberToken()
    }

    /// Returns the token of a user with the given role on the project `demo`.
    func token(_ role: RouteExpectations.Role) async throws -> String {
        guard role == .reader else { return member }
        let project = try await id("/v3/projects?name=demo", "projects")
        let role = try await id("/v3/roles?name=reader", "roles")
        let user = try await make(
            "/v3/users", ["user": ["name": "onlooker", "password": .string(TestCloud.demoPassword)]], as: admin)
        let granted = await cloud.send(.put, "/v3/projects/\(project)/users/\(user)/roles/\(role)", token: admin)
        #expect(granted.status == .noContent)
        return try await cloud.token(user: "onlooker", password: TestCloud.demoPassword, project: "demo")
    }

    private func id(_ path: String, _ list: String) async throws -> String {
        try #require(await cloud.send(.get, path, token: admin).json[list]?.array?.first?["id"]?.string)
    }

    // MARK: Making things

    /// Makes a thing, as the member unless a token is given, and returns its id.
    func make(_ path: String, _ body: JSON, as token: String? = nil, version: String? = nil) async throws -> String {
        let headers: HTTPFields = version.map { [.apiVersion: $0] } ?? [:]
        let made = await cloud.send(.post, path, token: token ?? member, json: body, headers: headers)
        let id = made.json["id"] ?? made.json.object?.members.first?.value["id"]
        return try #require(id?.string ?? id?.integer.map { "\($0)" }, "\(path): \(made.status) \(made.text)")
    }

    func send(_ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil) async -> TestCloud.Response {
        await cloud.send(method, path, token: member, json: body)
    }

    func upload(_ path: String) async -> TestCloud.Response {
        let bytes = [UInt8](repeating: 0, count: 512)
        return await cloud.send(.put, path, token: member, bytes: bytes, type: "application/octet-stream")
    }
}
