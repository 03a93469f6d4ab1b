import CloudCore
package import Durable
import SQL

extension Runner {
    /// Carries out what is due now, one after the other, by the product's own claims and executor. False: nothing was.
    @discardableResult
    package func runDue() async throws -> Bool {
        let claimed = try await claims.take(1)
        for row in claimed { try await executor.run(row) }
        return !claimed.isEmpty
    }
}
