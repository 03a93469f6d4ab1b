import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

extension RouteExpectations {
    private static let own = "A key pair is its user's own: its rule asks for no role."

    static let compute = RouteExpectations(
        open: ["GET /": discovery, "GET /v2": discovery, "GET /v2.1": discovery], word: "1",
        versions: ["compute 2.1", "compute 2.104"], make: makeServer, body: { route, _ in computeBodies[route.name] },
        exceptions: [
            .init(route: "POST /v2.1/os-keypairs", status: 400, reason: own),
            .init(route: "DELETE /v2.1/os-keypairs/{keypair_name}", status: 404, reason: own),
        ])

    @Sendable private static func makeServer(_ stage: RouteStage) async throws -> Things {
        let flavor = try await stage.make(
            "/compute/v2.1/flavors", ["flavor": ["name": "x", "ram": 64, "vcpus": 1, "disk": 1]], as: stage.admin)
        let aggregate = try await stage.make(
            "/compute/v2.1/os-aggregates", ["aggregate": ["name": "x"]], as: stage.admin)
        // The path's brace for an item of the image's metadata has the same name as other braces.
        let image = try await stage.make(
            "/image/v2/images", ["name": "x", "disk_format": "raw", "container_format": "bare", "1": "x"])
        let filled = await stage.upload("/image/v2/images/\(image)/file")
        #expect(filled.status == .noContent)
        let group = try await stage.make(
            "/compute/v2.1/os-server-groups", ["server_group": ["name": "x", "policy": "affinity"]],
            version: "compute 2.104")
        let server = try await stage.make(
            "/compute/v2.1/servers",
            ["server": ["name": "x", "imageRef": .string(image), "flavorRef": .string(flavor), "networks": "none"]],
            version: "compute 2.104")
        return [
            "flavor_id": flavor, "aggregate_id": aggregate, "image_id": image, "server_group_id": group,
            "server_id": server,
        ]
    }

    private static let metadata: JSON = ["metadata": ["a": "b"]]

    private static let computeBodies: [String: JSON] = [
        "POST /v2.1/flavors/{flavor_id}/action": ["addTenantAccess": ["tenant": "x"]],
        "PUT /v2.1/images/{image_id}/metadata/{key}": ["meta": ["1": "y"]],
        "POST /v2.1/images/{image_id}/metadata": metadata, "PUT /v2.1/images/{image_id}/metadata": metadata,
        "POST /v2.1/os-aggregates/{aggregate_id}/action": ["add_host": ["host": "x"]],
        "POST /v2.1/os-keypairs": ["keypair": ["name": "x", "public_key": "x"]],
        "POST /v2.1/servers/{server_id}/action": ["os-stop": .null],
        "PUT /v2.1/servers/{server_id}/metadata/{key}": ["meta": ["1": "x"]],
        "POST /v2.1/servers/{server_id}/metadata": metadata, "PUT /v2.1/servers/{server_id}/metadata": metadata,
        "POST /v2.1/servers/{server_id}/migrations/{migration_id}/action": ["force_complete": .null],
        "PUT /v2.1/servers/{server_id}/tags": ["tags": ["x"]],
        "PUT /v2.1/servers/{server_id}": ["server": ["name": "x"]],
    ]
}
