import CloudCore
import Foundation
import Synchronization

/// Hashes passwords outside the threads that serve requests.
///
/// A hash is slow on purpose, so there are bounds: as many at once as the machine has cores, and a bounded queue in
/// which the addresses of clients take turns. The threads have a low priority. A flood of passwords then costs its
/// senders time, and the process only bounded memory.
struct PasswordHasher: Sendable {
    /// The threads of all hashers of this process.
    private static let threads = ClosurePool<Void>(
        name: "password-hasher", workers: Array(repeating: (), count: ProcessInfo.processInfo.activeProcessorCount),
        limits: PoolLimits(waiting: Limits.logIn.hashes.most, niceness: 10))
    private let cost: PasswordHash.Cost
    private let counter = Counter()
    private let random: any Randomness
    /// The hash that is checked for a user who does not exist, so that the answer takes as long as for one who does.
    private let decoy: String

    init(cost: PasswordHash.Cost = .standard, random: any Randomness) {
        self.cost = cost
        self.random = random
        // No password has this hash. It is not computed: it only needs the form of a real one.
        let nothing = Base64.encode(random.bytes(32)).prefix { $0 != "=" }
        decoy = "$argon2id$v=19$m=\(cost.kibibytes),t=\(cost.passes),p=\(cost.lanes)$c29tZXNhbHRzb21lc2FsdA$\(nothing)"
    }

    private final class Counter: Sendable { let hashes = Atomic(0) }

    /// The number of hashes that were begun, by which the cost of requests is counted.
    var hashes: Int { counter.hashes.load(ordering: .relaxed) }

    /// Returns the hash as a PHC string. It has the parameters and the salt, so the cost can be raised later.
    func hash(_ password: Secret) async throws -> String {
        let bytes = Array(password.reveal().utf8)
        let salt = random.bytes(16)
        return try await run { [cost] in try PasswordHash(of: bytes, salt: salt, cost).text }
    }

    /// Tells whether the password has the hash. Without a hash it returns false, after the same time.
    func verify(_ password: Secret, _ hash: String?) async throws -> Bool {
        let bytes = Array(password.reveal().utf8)
        guard let against = PasswordHash(text: hash ?? decoy) else { throw CloudError.internalError("a stored hash is not one of ours") }
        let matches = try await run { try against.matches(bytes) }
        return matches && hash != nil
    }

    private func run<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        let budget = Budget.current
        do {
            return try await Self.threads.run(for: budget?.share ?? .cloud) { [counter] in
                try budget?.check()
                counter.hashes.add(1, ordering: .relaxed)
                return try body()
            }
        } catch is PoolRefusal {
            throw CloudError.busy("Too many passwords are being checked. Please try again.")
        }
    }
}
