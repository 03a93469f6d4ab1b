import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/v3/users/{user_id}/credentials/OS-EC2`.
struct EC2CredentialRoutes: Sendable {
    let credentials: EC2CredentialService

    private static let path = "/v3/users/{user_id}/credentials/OS-EC2"

    var all: [Route] {
        [
            .get(Self.path) { call in
                let pairs = try await credentials.list(of: call.id("user_id"), by: call.caller())
                return Views.list("credentials", pairs, call) { pair, writer in Self.write(pair, call, &writer) }
            },
            .post(Self.path, create),
            .get("\(Self.path)/{credential_id}") { call in
                let caller = try await call.caller()
                return Self.one(try await credentials.get(call[parameter: "credential_id"], of: call.id("user_id"), by: caller), call)
            },
            .delete("\(Self.path)/{credential_id}") { call in
                let caller = try await call.caller()
                try await credentials.delete(call[parameter: "credential_id"], of: call.id("user_id"), by: caller)
                return .noContent
            },
        ]
    }

    private static let body = Form.object("", [.required("tenant_id", \.self, .string(1...64))], open: true)

    private func create(_ call: Call) async throws -> Reply {
        let caller = try await call.caller()
        let body = try await call.body.json()
        let project = ID<Kind.Project>(try Self.body.parse(.object(body), .house("credential")))
        let pair = try await credentials.create(for: call.id("user_id"), on: project, by: caller)
        var reply = Self.one(pair, call)
        reply.status = .created
        return reply
    }

    // MARK: Views

    private static func one(_ pair: EC2CredentialService.Pair, _ call: Call) -> Reply {
        .json { writer in writer.object("credential") { write(pair, call, &$0) } }
    }

    private static func write(_ pair: EC2CredentialService.Pair, _ call: Call, _ writer: inout JSONWriter) {
        writer.member("user_id", pair.credential.userID)
        writer.member("tenant_id", pair.credential.projectID)
        writer.member("access", pair.key.access)
        writer.member("secret", pair.key.secret.reveal())
        writer.member("trust_id", pair.key.restriction.trustID)
        writer.object("links") { writer in
            let owner = Percent.encode(pair.credential.userID.text)
            writer.member("self", "\(call.base)/v3/users/\(owner)/credentials/OS-EC2/\(Percent.encode(pair.key.access))")
        }
    }
}
