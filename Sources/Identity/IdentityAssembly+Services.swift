package import CloudCore
import Resources

/// What other services ask of Identity.
extension IdentityAssembly {
    /// The URL of an enabled endpoint in the catalogue of a project.
    ///
    /// - Parameters:
    ///   - type: the service's.
    ///   - region: in capitals or not, as Glance compares it.
    /// - Returns: nil when the catalogue has none.
    package func endpoint(
        of type: String, in region: String, interface: String, for project: ID<Kind.Project>?
    ) async throws -> String? {
        let catalog = try await identity.base.read { tx in try CatalogStore().catalog(of: project, in: tx) }
        return catalog.lazy.filter { $0.type == type }.flatMap(\.endpoints)
            .first { $0.interface == interface && $0.regionID?.lowercased() == region.lowercased() }?.url
    }

    /// A token in a form that may lie in the database: sealed by the key that seals tokens now.
    ///
    /// That key is kept for as long as a token of its time may be shown, and then removed. So what is left of it in old rows opens no
    /// more, not even for who has the master key.
    ///
    /// - Parameter purpose: what it opens for, and for nothing else.
    package func seal(_ token: Secret, for purpose: String) throws -> String {
        let (keyID, box) = try identity.keyring.seal(Array(token.reveal().utf8), .token, context: Self.label(purpose))
        return "\(keyID).\(Base64URL.encode(box))"
    }

    /// - Returns: nil when it was not sealed here for this purpose, or its key is gone.
    package func open(_ sealed: String, for purpose: String) async throws -> Secret? {
        let parts = sealed.split(separator: ".")
        guard parts.count == 2, let box = Base64URL.decode(parts[1]) else { return nil }
        let bytes = try await identity.keyring.open(box, keyID: String(parts[0]), .token, context: Self.label(purpose))
        return bytes.map { Secret(String(decoding: $0, as: UTF8.self)) }
    }

    /// No token itself is sealed for such a context.
    private static func label(_ purpose: String) -> String { "kept/\(purpose)" }
}
