package import CloudCore
package import SQL

/// The limits that Images needs: Identity's unified limits of the service `image`.
package protocol ImageLimits: Sendable {
    /// Returns the limits of a project by resource, read in the caller's transaction. A resource that is missing, or
    /// that has -1, is unlimited.
    func limits(of project: String, in tx: Transaction) throws -> [String: Int64]
}

/// The functions of Identity that Images needs to ask the image service of another region in a user's name.
package protocol OtherRegions: Sendable {
    /// Returns the URL of a region's image service.
    ///
    /// - Parameters:
    ///   - region: the id of the region, in any case.
    ///   - project: the project whose catalog is read.
    /// - Returns: nil if the catalog has no image service with that interface.
    func imageService(in region: String, interface: String, for project: ID<Kind.Project>?) async throws -> String?

    /// Returns a token in a form that may be stored in the database.
    ///
    /// - Parameter purpose: the only purpose for which the token can be opened again.
    func seal(_ token: Secret, for purpose: String) throws -> String

    /// Opens a sealed token.
    ///
    /// - Returns: nil if it was not sealed here for this purpose, or if the token is no longer valid.
    func open(_ sealed: String, for purpose: String) async throws -> Secret?
}
