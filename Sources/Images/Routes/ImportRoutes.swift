import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of interoperable image import.
struct ImportRoutes: Sendable {
    let stage: StageService
    let imports: ImportService

    var all: [Route] {
        [
            .put("/v2/images/{image_id}/stage") { call in
                let caller = try await call.caller()
                try await stage.stage(
                    call.id("image_id"), try ImageDataRoutes.bytes(of: call), size: try ImageDataRoutes.size(of: call), by: caller)
                return .noContent
            }.carryingData,
            .post("/v2/images/{image_id}/import") { call in
                let caller = try await call.caller()
                let request = try ImportRequest(try await call.body.json(), store: call.headers[.imageStore])
                let token = call.authToken.map(Secret.init)
                try await imports.start(call.id("image_id"), request, by: caller, token: token, requestID: call.requestID)
                return .accepted
            },
        ]
    }
}
