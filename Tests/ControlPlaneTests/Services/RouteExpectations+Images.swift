import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

extension RouteExpectations {
    static let images = RouteExpectations(
        open: ["GET /": discovery, "GET /versions": discovery, "GET /v2": discovery],
        word: "00000000-0000-4000-8000-000000000000", make: makeImages,
        body: { route, _ in imageBodies[route.name] ?? metadefBodies[route.name] },
        type: { route in
            if route.method == .patch { return "application/openstack-images-v2.1-json-patch" }
            let isData = route.path.hasSuffix("/file") || route.path.hasSuffix("/stage")
            return isData ? "application/octet-stream" : "application/json"
        })

    @Sendable private static func makeImages(_ stage: RouteStage) async throws -> Things {
        let image = try await stage.make(
            "/image/v2/images",
            ["name": "x", "disk_format": "raw", "container_format": "bare", "visibility": "shared"])
        let member = "0123456789abcdef0123456789abcdef"
        let shared = await stage.send(.post, "/image/v2/images/\(image)/members", ["member": .string(member)])
        #expect(shared.status == .ok)
        let namespaces = await stage.send(.get, "/image/v2/metadefs/namespaces?limit=1").json["namespaces"]?.array
        let namespace = try #require(namespaces?.first?["namespace"]?.string)
        return ["image_id": image, "member_id": member, "store_id": "file", "namespace": Percent.encode(namespace)]
    }

    private static let imageBodies: [String: JSON] = [
        "PATCH /v2/images/{image_id}": [["op": "add", "path": "/a", "value": "b"]],
        "POST /v2/images/{image_id}/import": ["method": ["name": "web-download", "uri": "http://example.com/"]],
        "POST /v2/images/{image_id}/locations": ["url": "blob://file/x", "validation_data": [:]],
        "PUT /v2/images/{image_id}/members/{member_id}": ["status": "accepted"],
        "POST /v2/images/{image_id}/members": ["member": "x"],
    ]

    private static let property: JSON = ["name": "x", "type": "string", "title": "x"]

    private static let metadefBodies: [String: JSON] = [
        "POST /v2/metadefs/namespaces": ["namespace": "x"],
        "PUT /v2/metadefs/namespaces/{namespace}": ["namespace": "x"],
        "POST /v2/metadefs/namespaces/{namespace}/objects": ["name": "x"],
        "PUT /v2/metadefs/namespaces/{namespace}/objects/{name}": ["name": "x"],
        "POST /v2/metadefs/namespaces/{namespace}/properties": property,
        "PUT /v2/metadefs/namespaces/{namespace}/properties/{name}": property,
        "POST /v2/metadefs/namespaces/{namespace}/resource_types": ["name": "x"],
        "POST /v2/metadefs/namespaces/{namespace}/tags": ["tags": [["name": "x"]]],
        "PUT /v2/metadefs/namespaces/{namespace}/tags/{name}": ["name": "x"],
        "POST /v2/metadefs/namespaces/{namespace}/tags/{name}": .null,
    ]
}
