import CloudCore
import Compute
import Drivers
import HTTPKit
import HTTPTypes
import HostModel
import NIOCore

/// The routes of the metadata service at one door. A guest is identified by the door and by the address from which its
/// connection comes, never by the contents of the request.
struct MetadataRoutes: Sendable {
    let door: MetadataDoor
    let source: any MetadataSource
    let random: any Randomness

    /// The most bytes of a password, as in the reference.
    static let mostPasswordBytes = Limits.request.guestBody.most

    var service: APIService {
        var service = APIService(
            name: "metadata", prefixes: [""], envelope: MetadataEnvelope(),
            routes: [.get("/", read), .get("/{path...}", read), .post("/{path...}", post)])
        service.bodyLimit = Self.mostPasswordBytes
        return service
    }

    private func read(_ call: Call) async throws -> Reply {
        let asker = try await asker(call)
        switch MetadataTree(asker, random: random).answer(call.path) {
        case nil: throw CloudError.notFound("There is nothing here.")
        case .text(let bytes): return Reply(.ok, headers: [.contentType: "text/plain; charset=UTF-8"], content: .bytes(bytes))
        case .json(let bytes): return .json(bytes: bytes)
        case .password: return .text(.ok, asker.password)
        }
    }

    private func post(_ call: Call) async throws -> Reply {
        let asker = try await asker(call)
        guard MetadataTree(asker, random: random).answer(call.path) == .password else { throw CloudError.notFound("There is nothing here.") }
        guard asker.password.isEmpty else { throw CloudError.conflict("There is a password already.") }
        let bytes: [UInt8]
        do { bytes = Array(try await call.body.bytes().readableBytesView) } catch let error as CloudError where error.kind == .tooLarge {
            throw CloudError.badRequest("Request is too large.")
        }
        guard let password = String(validating: bytes, as: UTF8.self) else { throw CloudError.badRequest("The password must be text.") }
        try await source.setPassword(password, of: ID(asker.id))
        return .text(.ok, "")
    }

    private func asker(_ call: Call) async throws -> InstanceMetadata {
        guard let address = call.remoteAddress.flatMap({ IPAddress($0) }),
            let metadata = try await source.metadata(network: ID(door.network), address: address)
        else { throw CloudError.notFound("There is nothing here.") }
        return metadata
    }
}

/// Errors as plain text, since guests may be unable to parse anything else.
struct MetadataEnvelope: ErrorEnvelope {
    func reply(_ error: CloudError, _ status: HTTPResponse.Status, _ context: ErrorContext) -> Reply { .text(status, error.message + "\n") }
}
