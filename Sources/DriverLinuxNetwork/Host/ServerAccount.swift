import Foundation

/// The account under which dnsmasq serves: its own where the system has one.
struct ServerAccount: Sendable {
    let name: String
    let user: uid_t

    static let current = find("dnsmasq") ?? find("nobody") ?? ServerAccount(name: "nobody", user: 65_534)

    private static func find(_ name: String) -> ServerAccount? {
        var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getpwnam_r(name, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return nil }
        return ServerAccount(name: name, user: entry.pw_uid)
    }
}
