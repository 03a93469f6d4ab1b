import CloudCore
import Compute
import Identity

/// What Compute asks of Identity.
struct IdentityForCompute: IdentityNeed {
    let identity: IdentityAssembly

    func requireProject(_ id: String) async throws {
        guard try await identity.hasProject(ID(id)) else {
            throw CloudError.badRequest("Project ID \(id) is not a valid project.")
        }
    }
}
