package import Durable

extension Runner {
    /// Carries out one due workflow with the claims and the executor of the product. Returns false if nothing was due.
    @discardableResult
    package func runDue() async throws -> Bool { try await carryOutDue() }
}
