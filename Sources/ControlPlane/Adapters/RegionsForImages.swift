import CloudCore
import Identity
import Images

/// The other regions for Images. They are found in Identity's catalog, and Identity seals the users' tokens.
struct RegionsForImages: OtherRegions {
    let identity: IdentityAssembly

    func imageService(in region: String, interface: String, for project: ID<Kind.Project>?) async throws -> String? {
        try await identity.endpoint(of: "image", in: region, interface: interface, for: project)
    }

    func seal(_ token: Secret, for purpose: String) throws -> String { try identity.seal(token, for: purpose) }

    func open(_ sealed: String, for purpose: String) async throws -> Secret? { try await identity.open(sealed, for: purpose) }
}
