import CloudCore
import HTTPKit

/// The routes of `/v2/images/{image_id}/members`.
struct ImageMemberRoutes: Sendable {
    let members: ImageMemberService

    var all: [Route] {
        [
            .get("/v2/images/{image_id}/members") { call in
                let found = try await members.list(of: call.id("image_id"), by: try await call.caller())
                return try await .page(of: found.count) {
                    .json { json in
                        json.array("members", of: found) { json, member in json.object { ImageWire.write(member, &$0) }
                        }
                        json.member("schema", "/v2/schemas/members")
                    }
                }
            },
            .post("/v2/images/{image_id}/members") { call in
                let caller = try await call.caller()
                let id = try Self.word("member", of: try await call.body.json(), missing: "Member to be added not specified")
                return show(try await members.create(id, of: call.id("image_id"), by: caller))
            },
            .get("/v2/images/{image_id}/members/{member_id}") { call in
                show(try await members.get(call[parameter: "member_id"], of: call.id("image_id"), by: try await call.caller()))
            },
            .put("/v2/images/{image_id}/members/{member_id}") { call in
                let caller = try await call.caller()
                let status = try Self.word("status", of: try await call.body.json(), missing: "Status not specified")
                return show(try await members.update(call[parameter: "member_id"], of: call.id("image_id"), to: status, by: caller))
            },
            .delete("/v2/images/{image_id}/members/{member_id}") { call in
                try await members.delete(call[parameter: "member_id"], of: call.id("image_id"), by: try await call.caller())
                return .noContent
            },
        ]
    }

    private static func word(_ name: String, of body: JSONObject, missing: String) throws -> String {
        guard let value = body[name] else { throw CloudError.badRequest(missing) }
        guard let word = value.string, !word.isEmpty else { throw Shape.wrong(name, "a text is expected that is not empty") }
        return word
    }

    private func show(_ member: ImageMember) -> Reply { .json { ImageWire.write(member, &$0) } }
}
