import CloudCore
import Foundation
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A caller of Compute, for tests about what Compute does rather than about HTTP.
struct ComputeClient {
    let cloud: TestCloud
    let token: String
    var minor = 104

    init(_ cloud: TestCloud) async throws {
        self.cloud = cloud
        token = try await cloud.token()
    }

    init(_ cloud: TestCloud, token: String) {
        self.cloud = cloud
        self.token = token
    }

    /// Returns a client of a member of the project `demo`.
    static func member(_ cloud: TestCloud) async throws -> ComputeClient {
        ComputeClient(cloud, token: try await cloud.token(user: "demo", password: TestCloud.demoPassword, project: "demo"))
    }

    func send(_ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, minor: Int? = nil) async -> TestCloud.Response {
        await cloud.send(
            method, "/compute/v2.1" + path, token: token, json: json, headers: [.apiVersion: "compute 2.\(minor ?? self.minor)"])
    }

    /// Sends a request that must succeed, and returns its body.
    @discardableResult
    func good(
        _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, minor: Int? = nil, location: SourceLocation = #_sourceLocation
    ) async -> JSON {
        let reply = await send(method, path, json, minor: minor)
        #expect(reply.status.code < 300, "\(method) \(path): \(reply.status) \(reply.text)", sourceLocation: location)
        return reply.json
    }

    /// Sends a request that must be refused with the given status, and returns the message.
    @discardableResult
    func refused(
        _ status: HTTPResponse.Status, _ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, minor: Int? = nil,
        location: SourceLocation = #_sourceLocation
    ) async -> String {
        let reply = await send(method, path, json, minor: minor)
        #expect(reply.status == status, "\(method) \(path): \(reply.status) \(reply.text)", sourceLocation: location)
        return reply.json.object?.members.first?.value["message"]?.string ?? ""
    }

    @discardableResult
    func flavor(_ id: String, ram: Int64 = 512, vcpus: Int64 = 1, disk: Int64 = 1, isPublic: Bool = true) async -> JSON {
        await good(
            .post, "/flavors",
            [
                "flavor": [
                    "id": .string(id), "name": .string("flavor \(id)"), "ram": .integer(ram), "vcpus": .integer(vcpus), "disk": .integer(disk),
                    "os-flavor-access:is_public": .bool(isPublic),
                ]
            ])
    }
}
