package import SQL

/// What Images must know of limits: Identity's unified limits of the service `image`.
package protocol ImageLimits: Sendable {
    /// How much of each resource the project may have, in the caller's transaction. What is left out, and -1, is unlimited.
    func limits(of project: String, in tx: Transaction) throws -> [String: Int64]
}
