import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A caller of Placement.
struct PlacementClient: APIClient {
    let cloud: TestCloud
    let token: String
    var version = "1.39"

    init(cloud: TestCloud, token: String) { (self.cloud, self.token) = (cloud, token) }

    func send(_ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil, version: String? = nil) async -> TestCloud.Response {
        await cloud.send(
            method, "/placement" + path, token: token, json: json, headers: [.apiVersion: "placement \(version ?? self.version)"])
    }

    /// Makes a provider with inventories that have only a total.
    func provider(_ id: String, parent: String? = nil, _ totals: [(String, Int64)] = [], ratio: Double = 1) async throws {
        var body: JSONObject = ["name": .string("provider \(id)"), "uuid": .string(id)]
        if let parent { body["parent_provider_uuid"] = .string(parent) }
        let made = await send(.post, "/resource_providers", .object(body))
        try #require(made.status == .ok, "\(made.text)")
        guard !totals.isEmpty else { return }
        let inventories = JSONObject(totals.map { ($0, JSON.object(["total": .integer($1), "allocation_ratio": .number(ratio)])) })
        let set = await send(
            .put, "/resource_providers/\(id)/inventories",
            ["resource_provider_generation": 0, "inventories": .object(inventories)])
        try #require(set.status == .ok, "\(set.text)")
    }

    func generation(of id: String) async -> JSON { await send(.get, "/resource_providers/\(id)").json["generation"] ?? .null }

    /// Claims resources for a consumer.
    ///
    /// - Parameter parts: the amounts by provider and class.
    func claim(
        _ consumer: String, _ parts: [String: [String: Int64]], generation: JSON = .null
    ) async -> TestCloud.Response {
        let allocations = JSONObject(
            parts.map { ($0.key, .object(["resources": .object(JSONObject($0.value.map { ($0.key, .integer($0.value)) }))])) })
        return await send(
            .put, "/allocations/\(consumer)",
            [
                "allocations": .object(allocations), "project_id": "p", "user_id": "u", "consumer_generation": generation,
                "consumer_type": "INSTANCE",
            ])
    }

    static func id(_ number: Int) -> String {
        let digits = String(number, radix: 16)
        return "00000000-0000-4000-8000-" + String(repeating: "0", count: 12 - digits.count) + digits
    }
}
