import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of the places of data, for services, and of the removal of data from one store, for administrators.
struct ImageLocationRoutes: Sendable {
    let locations: ImageLocations

    var all: [Route] {
        [
            .get("/v2/images/{image_id}/locations") { call in
                let found = try await locations.list(call.id("image_id"), by: try await call.caller())
                var json = JSONWriter()
                json.array(of: found) { json, location in json.object { ImageWire.write(location, &$0) } }
                return .json(bytes: json.bytes)
            },
            .post("/v2/images/{image_id}/locations") { call in
                let caller = try await call.caller()
                try await locations.add(try await call.body.json(), to: call.id("image_id"), by: caller)
                return .accepted
            },
            .delete("/v2/stores/{store_id}/{image_id}") { call in
                try await locations.remove(from: call[parameter: "store_id"], call.id("image_id"), by: try await call.caller())
                return .noContent
            },
        ]
    }
}
