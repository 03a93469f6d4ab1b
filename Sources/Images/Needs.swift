package import CloudCore
package import SQL

/// What Images must know of limits: Identity's unified limits of the service `image`.
package protocol ImageLimits: Sendable {
    /// How much of each resource the project may have, in the caller's transaction. What is left out, and -1, is unlimited.
    func limits(of project: String, in tx: Transaction) throws -> [String: Int64]
}

/// What Images must have of Identity to ask the image service of another region in a user's name.
package protocol OtherRegions: Sendable {
    /// - Parameters:
    ///   - region: in capitals or not.
    ///   - project: whose catalogue it is.
    /// - Returns: the URL of the region's image service; nil when the catalogue has none with that interface.
    func imageService(in region: String, interface: String, for project: ID<Kind.Project>?) async throws -> String?

    /// A token in a form that may lie in the database.
    ///
    /// - Parameter purpose: what it opens for, and for nothing else.
    func seal(_ token: Secret, for purpose: String) throws -> String

    /// - Returns: nil when it was not sealed here for this purpose, or so long ago that the token is good no more.
    func open(_ sealed: String, for purpose: String) async throws -> Secret?
}
