import CArgon2
import CloudCore
import Foundation

/// Hashes passwords with Argon2id, away from the threads that serve requests.
///
/// A hash is meant to be dear, so there is a budget: as many at once as there are cores, and a bounded queue. A flood of
/// wrong passwords then costs its senders time, and nobody else memory.
struct PasswordHasher: Sendable {
    /// The cost of one hash. OWASP's password storage cheat sheet has 19 MiB, two passes, one lane among its equivalents.
    struct Cost: Sendable {
        var kibibytes: UInt32 = 19_456
        var passes: UInt32 = 2
        var lanes: UInt32 = 1

        /// For tests: everything is hashed, and it costs next to nothing.
        static let negligible = Cost(kibibytes: 8, passes: 1, lanes: 1)
    }

    private static let mostWaiting = 512
    private let cost: Cost
    private let random: any Randomness
    private let queue: OperationQueue
    /// What a user who is not there is checked against, so that the answer takes as long as for one who is.
    private let decoy: String

    init(cost: Cost = Cost(), random: any Randomness) throws {
        self.cost = cost
        self.random = random
        queue = OperationQueue()
        queue.name = "password-hasher"
        queue.maxConcurrentOperationCount = ProcessInfo.processInfo.activeProcessorCount
        decoy = try Self.hash(Array(random.urlSafe(16).utf8), salt: random.bytes(16), cost)
    }

    /// The hash in PHC string form: parameters, salt and all, so that the cost can be raised later.
    func hash(_ password: Secret) async throws -> String {
        let bytes = Array(password.reveal().utf8)
        let salt = random.bytes(16)
        return try await run { [cost] in try Self.hash(bytes, salt: salt, cost) }
    }

    /// Whether the password is the one that was hashed. Without a hash the answer is no, after the same time.
    func verify(_ password: Secret, _ hash: String?) async throws -> Bool {
        let bytes = Array(password.reveal().utf8)
        let against = hash ?? decoy
        let matches = try await run { argon2id_verify(against, bytes, bytes.count) == ARGON2_OK.rawValue }
        return matches && hash != nil
    }

    private static func hash(_ password: [UInt8], salt: [UInt8], _ cost: Cost) throws -> String {
        let length = argon2_encodedlen(cost.passes, cost.kibibytes, cost.lanes, UInt32(salt.count), 32, Argon2_id)
        var encoded = [CChar](repeating: 0, count: length)
        let code = argon2id_hash_encoded(
            cost.passes, cost.kibibytes, cost.lanes, password, password.count, salt, salt.count, 32, &encoded, length)
        guard code == ARGON2_OK.rawValue else { throw CloudError.internalError("argon2 failed with code \(code)") }
        return String(decoding: encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
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
