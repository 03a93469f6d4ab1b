import CloudCore
import Logging
import Resources
import SQL
import ServiceLifecycle

/// Replaces the key that seals tokens when it is due. Removes keys, revocations, OAuth1 tokens and nonces that nothing
/// needs any more.
///
/// It acts only on the rows that it finds, so it may run at any time and in any number of processes.
struct Housekeeping: Service {
    let identity: IdentityContext
    let log: Logger
    private let revocations = RevocationStore()
    private static let interval = Duration.seconds(300)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await sweep() } catch { log.warning("housekeeping of identity failed", metadata: ["error": "\(error)"]) }
                try? await Task.sleep(for: Self.interval)
            }
        }
    }

    func sweep() async throws {
        let settings = identity.settings
        let now = identity.world.now
        if let since = identity.keyring.usedSince(.token), now >= since + settings.keyRotation {
            try await identity.keyring.rotate(.token) { $0.map { now < $0 + settings.keyRotation } ?? false }
            log.notice("a new key seals tokens from now on")
        }
        let longest = settings.tokenLifetime + settings.expiredTokenGrace
        // Another process may seal with the previous key until its own housekeeping has run.
        try await identity.keyring.prune(keeping: longest + Self.interval * 2)
        try await identity.base.database.write { tx in try OAuthStore().prune(at: now, in: tx) }
        while try await identity.base.database.write({ [revocations] tx in try revocations.prune(before: now - longest, in: tx) }) {
            try Task.checkCancellation()
        }
    }
}
