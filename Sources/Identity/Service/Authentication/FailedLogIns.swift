import CloudCore

/// The guard against guessing: it counts log-ins that fail, by the account and by the address that they come from.
///
/// A log-in that succeeds never counts. It also frees its account from the failures of others at its address: a pair of
/// an account and an address that has logged in once is known, and only the pair's own failures count against it. So
/// the users of a dashboard, who share its address, do not wait for an attacker who guesses through it. And nobody can
/// lock a user out from elsewhere.
///
/// Counts are in memory. Each process has its own, and a restart forgets them. The lockout of an account that
/// PCI-DSS asks for (`lockout_failure_attempts`) is another thing: it is in the database, and off by default.
final class FailedLogIns: Sendable {
    /// The account that a log-in names: an id of this cloud, or the text of a name that nobody has.
    struct Account: Hashable, Sendable {
        let text: String
    }

    private struct Pair: Hashable {
        let account: Account
        let place: String
    }

    private let settings: LogInSettings
    private let world: World
    private let accounts: RecentCounts
    private let places: RecentCounts
    private let pairs: RecentCounts
    private let known: RecentCounts

    /// The time for which a pair stays known after a log-in.
    private static let memory = Duration.seconds(30 * 86_400)

    init(settings: LogInSettings, world: World) {
        func counts(_ window: Duration, _ most: Int) -> RecentCounts { RecentCounts(window: window, capacity: most) }
        self.settings = settings
        self.world = world
        accounts = counts(settings.window, Limits.logIn.counters.most)
        places = counts(settings.window, Limits.logIn.counters.most)
        pairs = counts(settings.window, Limits.logIn.counters.most)
        known = counts(Self.memory, Limits.logIn.known.most)
    }

    /// Throws if too many log-ins have failed. It is asked before a secret is compared, and once more after it was
    /// right, so that guesses side by side are no more than guesses in a row.
    ///
    /// - Parameter address: the client's address; nil if it is not known.
    /// - Throws: `CloudError.tooManyRequests`. The answer is the same whether the account exists and whether the secret
    /// is right.
    func check(_ account: Account, from address: String?) throws(CloudError) {
        let (now, pair) = (world.now, Self.pair(account, address))
        let (mostOfAccount, mostOfPlace) = (settings.accountFailures, settings.addressFailures)
        if known.count(of: pair, at: now).events > 0 {
            return try Self.require(pairs.count(of: pair, at: now), most: mostOfAccount)
        }
        try Self.require(accounts.count(of: account, at: now), most: mostOfAccount)
        if address != nil { try Self.require(places.count(of: pair.place, at: now), most: mostOfPlace) }
    }

    /// Counts a log-in that failed.
    func noteFailure(_ account: Account, from address: String?) {
        let (now, pair) = (world.now, Self.pair(account, address))
        guard known.count(of: pair, at: now).events == 0 else { return pairs.add(pair, at: now) }
        accounts.add(account, at: now)
        if address != nil { places.add(pair.place, at: now) }
    }

    /// Makes the account known at the address.
    func noteSuccess(_ account: Account, from address: String?) {
        let pair = Self.pair(account, address)
        known.remove(pair)
        known.add(pair, at: world.now)
    }

    /// The number of keys that are remembered now.
    var keys: Int { accounts.keys + places.keys + pairs.keys + known.keys }

    private static func require(_ count: (events: Int, left: Duration), most: Int) throws(CloudError) {
        guard most > 0, count.events >= most else { return }
        throw tooMany("Too many log-ins have failed", count.left)
    }

    /// Returns the error for a caller who must wait.
    static func tooMany(_ what: String, _ left: Duration) -> CloudError {
        let seconds = max(1, left.components.seconds + (left.components.attoseconds > 0 ? 1 : 0))
        var error = CloudError(.tooManyRequests, "\(what). Please try again in \(seconds) seconds.")
        error.headers = [("Retry-After", String(seconds))]
        return error
    }

    private static func pair(_ account: Account, _ address: String?) -> Pair {
        Pair(account: account, place: address.map(place) ?? "")
    }

    /// Returns the part of an address that one client cannot choose: an IPv4 address, or the /64 of an IPv6 address.
    static func place(of address: String) -> String {
        guard let parsed = IPAddress(address) else { return address }
        guard parsed.version == .v6 else { return parsed.description }
        // A listener for both families sees an IPv4 client as ::ffff:192.0.2.1.
        if parsed.value >> 32 == 0xffff { return IPAddress(.v4, parsed.value & 0xffff_ffff).description }
        return IPPrefix(parsed, 64).description
    }
}

extension FailedLogIns.Account {
    /// The account of a user; nil for a reference that nobody has.
    init(_ user: User?, named reference: AuthRequest.Reference) {
        let domain = reference.domain.map { $0.id ?? $0.name ?? "" } ?? ""
        text = user?.id.text ?? reference.id ?? "\(domain)/\(reference.name ?? "")"
    }

    /// The account of passcodes: the user as the claim names it. The database counts the passcodes of each user, too.
    init(_ passcode: AuthRequest.UserSecret) {
        text = "totp/" + Self(nil, named: passcode.user).text
    }

    /// The account of an application credential, which has a secret of its own.
    init(_ credential: AuthRequest.CredentialSecret) {
        let owner = credential.owner.map { Self(nil, named: $0).text } ?? ""
        text = "credential/" + (credential.id ?? "\(owner)/\(credential.name ?? "")")
    }

    /// The account of a user who changes a password.
    init(_ user: ID<Kind.User>) { text = user.text }
}

/// The numbers of `FailedLogIns`.
package struct LogInSettings: Sendable {
    /// The failed log-ins of one account in a window after which it must wait; 0 for any number.
    package var accountFailures = Limits.logIn.accountFailures.most
    /// The failed log-ins from one address in a window after which accounts that are new there must wait; 0 for any
    /// number.
    package var addressFailures = Limits.logIn.addressFailures.most
    package var window: Duration = .seconds(Limits.logIn.window.most)

    package init() {}
}
