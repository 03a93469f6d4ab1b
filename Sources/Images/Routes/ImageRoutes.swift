import CloudCore
import HTTPKit
import HTTPTypes
import NIOCore

/// The routes of `/v2/images`.
struct ImageRoutes: Sendable {
    let context: ImagesContext

    private var images: ImageService { ImageService(context: context) }

    var all: [Route] {
        [
            .post("/v2/images", create),
            .get("/v2/images", list),
            .get("/v2/images/{image_id}") { call in
                let caller = try await call.caller()
                return show(try await images.get(call.id("image_id"), by: caller), to: caller)
            },
            .patch("/v2/images/{image_id}", update),
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
            image, to: caller, .created,
            headers: [
                .location: call.base + ImageWire.path(image.id), .importMethods: ImportMethod.allCases.map(\.rawValue).joined(separator: ","),
                .storeIDs: context.stores.names.joined(separator: ","),
            ])
    }

    @Sendable private func update(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        guard let form = call.body.type.flatMap(ImagePatch.Form.init) else {
            let known = ImagePatch.Form.allCases.map(\.rawValue).joined(separator: ", ")
            var error = CloudError(.unsupportedMediaType, "Image PATCH expects Content-Type one of: \(known)")
            error.headers = [("Accept-Patch", known)]
            throw error
        }
        let body: JSON
        do {
            body = try await call.body.anyJSON()
        } catch let error as JSONSyntaxError {
            throw CloudError.badRequest("Malformed JSON in request body: \(error.description).")
        }
        let image = try await ImageUpdate(context: context).apply(ImagePatch(body, form), to: call.id("image_id"), by: caller)
        return show(image, to: caller)
    }

    /// Returns the reply with an image. Only administrators see the places of its data.
    private func show(
        _ image: Image, to caller: Principal, _ status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]
    ) -> Reply {
        .json(status, headers: headers) { ImageWire.write(image, showsLocations: context.access.isAdmin(caller), &$0) }
    }

    @Sendable private func list(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let rest = call.query.items.filter { $0.name != "marker" }.map { "\(Percent.encode($0.name))=\(Percent.encode($0.value))" }
        return try await images.list(ImageList(call.query), by: caller) { page in
            .json { json in
                json.array("images", of: page.images) { json, image in json.object { ImageWire.write(image, &$0) } }
                json.member("first", Self.link(rest))
                if page.hasMore, let last = page.images.last {
                    json.member("next", Self.link(rest + ["marker=\(last.id)"]))
                }
                json.member("schema", "/v2/schemas/images")
            }
        }
    }

    private static func link(_ query: [String]) -> String { "/v2/images" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")) }
}

extension HTTPField.Name {
    static let importMethods = Self("OpenStack-image-import-methods")!  // tidy: allow force-unwrap, a constant
    static let storeIDs = Self("OpenStack-image-store-ids")!  // tidy: allow force-unwrap, a constant
    static let imageStore = Self("x-image-meta-store")!  // tidy: allow force-unwrap, a constant
    static let imageCacheClearTarget = Self("x-image-cache-clear-target")!  // tidy: allow force-unwrap, a constant
    static let imageSize = Self("x-openstack-image-size")!  // tidy: allow force-unwrap, a constant
    static let contentMD5 = Self("Content-MD5")!  // tidy: allow force-unwrap, a constant
}
