import CloudCore
import Compute
import Identity

/// The part of Identity that Compute needs.
struct IdentityForCompute: IdentityNeed {
    let identity: IdentityAssembly

    func requireProject(_ id: ID<Kind.Project>) async throws {
        guard try await identity.hasProject(id) else {
            throw CloudError.badRequest("Project ID \(id) is not a valid project.")
        }
    }
}
