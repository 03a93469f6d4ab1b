import BlockStorage
import CloudCore
import Identity

/// The part of Identity that Block Storage needs.
struct IdentityForBlockStorage: BlockStorageIdentity {
    let identity: IdentityAssembly

    func hasProject(_ id: ID<Kind.Project>) async throws -> Bool { try await identity.hasProject(id) }
}
