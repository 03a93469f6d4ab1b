import CloudCore
import HTTPKit
import HTTPTypes

/// `/v2/images`.
struct ImageRoutes: Sendable {
    let images: ImageService
    let stores: ImageStores

    var all: [Route] {
        [
            .post("/v2/images", create),
            .get("/v2/images", list),
            .get("/v2/images/{image_id}") { call in
                show(try await images.get(call.id("image_id"), by: try await call.caller()))
            },
            .delete("/v2/images/{image_id}") { call in
                try await images.delete(call.id("image_id"), by: try await call.caller())
                return .noContent
            },
            .post("/v2/images/{image_id}/actions/deactivate") { call in
                try await images.deactivate(call.id("image_id"), by: try await call.caller())
                return .noContent
            },
            .post("/v2/images/{image_id}/actions/reactivate") { call in
                try await images.reactivate(call.id("image_id"), by: try await call.caller())
                return .noContent
            },
            .put("/v2/images/{image_id}/tags/{tag}") { call in
                try await images.addTag(call[parameter: "tag"], to: call.id("image_id"), by: try await call.caller())
                return .noContent
            },
            .delete("/v2/images/{image_id}/tags/{tag}") { call in
                try await images.removeTag(call[parameter: "tag"], from: call.id("image_id"), by: try await call.caller())
                return .noContent
            },
        ]
    }

    @Sendable private func create(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let image = try await images.create(try await call.body.json(), by: caller)
        return show(
            image, .created,
            headers: [
                .location: call.base + ImageWire.path(image.id), .importMethods: ImportMethod.allCases.map(\.rawValue).joined(separator: ","),
                .storeIDs: stores.names.joined(separator: ","),
            ])
    }

    private func show(_ image: Image, _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) -> Reply {
        .json(status, headers: headers) { ImageWire.write(image, &$0) }
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let page = try await images.list(ImageList(call.query), by: caller)
        let rest = call.query.items.filter { $0.name != "marker" }.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
        return .json { json in
            json.array("images", of: page.images) { json, image in json.object { ImageWire.write(image, &$0) } }
            json.member("first", Self.link(rest))
            if page.hasMore, let last = page.images.last { json.member("next", Self.link(rest + ["marker=\(last.id)"])) }
            json.member("schema", "/v2/schemas/images")
        }
    }

    private static func link(_ query: [String]) -> String { "/v2/images" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")) }
}

/// How data can get into an image besides an upload.
enum ImportMethod: String, Sendable, CaseIterable {
    case glanceDirect = "glance-direct"
    case webDownload = "web-download"
    case copyImage = "copy-image"
}

extension HTTPField.Name {
    static let importMethods = Self("OpenStack-image-import-methods")!  // tidy: allow force-unwrap, a constant
    static let storeIDs = Self("OpenStack-image-store-ids")!  // tidy: allow force-unwrap, a constant
    static let imageStore = Self("x-image-meta-store")!  // tidy: allow force-unwrap, a constant
    static let imageSize = Self("x-openstack-image-size")!  // tidy: allow force-unwrap, a constant
    static let contentMD5 = Self("Content-MD5")!  // tidy: allow force-unwrap, a constant
}
