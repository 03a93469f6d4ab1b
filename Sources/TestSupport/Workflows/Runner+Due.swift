import CloudCore
package import Durable
import SQL

extension Runner {
    /// Carries out one due workflow with the claims and the executor of the product. Returns false if nothing was due.
    @discardableResult
    package func runDue() async throws -> Bool {
        let claimed = try await claims.take(1)
        for row in claimed { try await executor.run(row) }
        return !claimed.isEmpty
    }
}
