import CloudCore
import Foundation

/// Hashes passwords away from the threads that serve requests.
///
/// A hash is meant to be dear, so there is a budget: as many at once as there are cores, and a bounded queue. A flood of
/// wrong passwords then costs its senders time, and nobody else memory.
struct PasswordHasher: Sendable {
    private static let mostWaiting = 512
    private let cost: PasswordHash.Cost
    private let random: any Randomness
    private let queue: OperationQueue
    /// What a user who is not there is checked against, so that the answer takes as long as for one who is.
    private let decoy: String

    init(cost: PasswordHash.Cost = .standard, random: any Randomness) {
        self.cost = cost
        self.random = random
        queue = OperationQueue()
        queue.name = "password-hasher"
        queue.maxConcurrentOperationCount = ProcessInfo.processInfo.activeProcessorCount
        // No password has this hash: it need not be computed, only look like one that was.
        let nothing = Base64.encode(random.bytes(32)).prefix { $0 != "=" }
        decoy = "$argon2id$v=19$m=\(cost.kibibytes),t=\(cost.passes),p=\(cost.lanes)$c29tZXNhbHRzb21lc2FsdA$\(nothing)"
    }

    /// The hash in PHC string form: parameters, salt and all, so that the cost can be raised later.
    func hash(_ password: Secret) async throws -> String {
        let bytes = Array(password.reveal().utf8)
        let salt = random.bytes(16)
        return try await run { [cost] in try PasswordHash(of: bytes, salt: salt, cost).text }
    }

    /// Whether the password is the one that was hashed. Without a hash the answer is no, after the same time.
    func verify(_ password: Secret, _ hash: String?) async throws -> Bool {
        let bytes = Array(password.reveal().utf8)
        guard let against = PasswordHash(text: hash ?? decoy) else { throw CloudError.internalError("a stored hash is not one of ours") }
        let matches = try await run { try against.matches(bytes) }
        return matches && hash != nil
    }

    private func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        guard queue.operationCount < Self.mostWaiting else {
            var busy = CloudError(.unavailable, "Too many passwords are being checked. Please try again.")
            busy.isTransient = true
            throw busy
        }
        return try await withCheckedThrowingContinuation { continuation in
            queue.addOperation { continuation.resume(with: Result { try body() }) }
        }
    }
}
