package import CloudCore
import Resources

/// The functions of Identity that other services call.
extension IdentityAssembly {
    /// Returns the URL of an enabled endpoint in a project's catalog.
    ///
    /// - Parameters:
    ///   - type: the type of the service.
    ///   - region: the region's id, compared without regard to case, as Glance does.
    /// - Returns: nil if the catalog has no such endpoint.
    package func endpoint(
        of type: String, in region: String, interface: String, for project: ID<Kind.Project>?
    ) async throws -> String? {
        let catalog = try await identity.base.read { tx in try CatalogStore().catalog(of: project, in: tx) }
        return catalog.lazy.filter { $0.type == type }.flatMap(\.endpoints)
            .first { $0.interface == interface && $0.regionID?.lowercased() == region.lowercased() }?.url
    }

    /// Returns a token in a form that may be stored in the database: sealed with the current token key.
    ///
    /// That key is kept as long as a token that it sealed may still be shown, and is then removed. After that, nobody
    /// can open the sealed tokens in old rows, not even with the master key.
    ///
    /// - Parameter purpose: the use that the token is sealed for. It opens for no other.
    package func seal(_ token: Secret, for purpose: String) throws -> String {
        let (keyID, box) = try identity.keyring.seal(Array(token.reveal().utf8), .token, context: Self.label(purpose))
        return "\(keyID).\(Base64URL.encode(box))"
    }

    /// Returns the token that was sealed; nil if it was not sealed here for this purpose, or its key is gone.
    package func open(_ sealed: String, for purpose: String) async throws -> Secret? {
        let parts = sealed.split(separator: ".")
        guard parts.count == 2, let box = Base64URL.decode(parts[1]) else { return nil }
        let bytes = try await identity.keyring.open(box, keyID: String(parts[0]), .token, context: Self.label(purpose))
        return bytes.map { Secret(String(decoding: $0, as: UTF8.self)) }
    }

    /// The context of a kept token. Tokens that clients carry have another context.
    private static func label(_ purpose: String) -> String { "kept/\(purpose)" }
}
