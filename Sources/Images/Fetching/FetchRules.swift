package import CloudCore
import NIOCore

/// The rules of what the cloud may fetch for its users: the operator's lists, and the addresses that must not be
/// reached through the cloud.
package struct FetchRules: Sendable, Equatable {
    /// The only hosts that may be fetched from; empty if any host may.
    var allowed: [HostPattern] = []
    var disallowed: [HostPattern] = []
    /// Hosts that may have an address that is not public, such as a mirror in the operator's network.
    var `private`: [HostPattern] = []
    var ports: Set<Int> = [80, 443]

    package init() {}

    /// Reads the operator's lists. Their entries are names (`mirror.example.org`), names with everything below them
    /// (`.example.org`), addresses and networks.
    ///
    /// - Throws: `badRequest` for an entry of another form.
    package init(allowed: [String], disallowed: [String], private: [String], ports: [Int]) throws(CloudError) {
        self.allowed = try allowed.map(HostPattern.init)
        self.disallowed = try disallowed.map(HostPattern.init)
        self.private = try `private`.map(HostPattern.init)
        self.ports = Set(ports)
    }

    /// Checks the parts of a URL that can be judged before its name is resolved.
    ///
    /// - Throws: `badRequest`.
    func check(_ url: FetchURL) throws(CloudError) {
        guard ports.contains(url.port) else { throw FetchURL.refused("port \(url.port) is not allowed") }
        if disallowed.contains(where: { $0.matches(url) }) { throw FetchURL.refused("host \(url.host) is not allowed") }
        // A network of the list can only be compared with the addresses of a name.
        let mayMatch = allowed.isEmpty || allowed.contains { $0.matches(url) || (url.address == nil && $0.isNetwork) }
        guard mayMatch else { throw FetchURL.refused("host \(url.host) is not allowed") }
    }

    /// Returns whether a connection to an address may be made for a URL.
    ///
    /// - Parameter own: the addresses of this host.
    func admits(_ address: IPAddress, of url: FetchURL, own: Set<IPAddress>) -> Bool {
        let faces = [address] + (address.carried.map { [$0] } ?? [])
        func isListed(_ patterns: [HostPattern]) -> Bool {
            patterns.contains { pattern in pattern.matches(url) || faces.contains { pattern.matches($0) } }
        }
        guard !address.isNoHost, !isListed(disallowed), allowed.isEmpty || isListed(allowed) else { return false }
        return (address.isPublic && !faces.contains(where: own.contains)) || isListed(`private`)
    }
}

/// An operator's entry for one host or several.
struct HostPattern: Sendable, Equatable {
    private enum Form: Equatable {
        case name(String)
        case below(String)
        case network(IPPrefix)
    }

    private let form: Form

    /// Reads an entry.
    ///
    /// - Throws: `badRequest` for a text that is no host.
    init(_ text: String) throws(CloudError) {
        if let network = IPPrefix(exactly: text) {
            form = .network(network)
            return
        }
        let name = text.lowercased()
        let isName = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (97...122).contains(byte) || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_")].contains(byte)
        }
        guard isName, name.utf8.contains(where: { $0 != UInt8(ascii: ".") }) else {
            throw CloudError.badRequest("'\(text)' is no host name, address or network.")
        }
        form = name.hasPrefix(".") ? .below(name) : .name(name)
    }

    var isNetwork: Bool {
        if case .network = form { true } else { false }
    }

    func matches(_ url: FetchURL) -> Bool {
        switch form {
        case .name(let name): url.host == name
        case .below(let end): url.host.hasSuffix(end)
        case .network(let network): url.address.map(network.contains) ?? false
        }
    }

    func matches(_ address: IPAddress) -> Bool {
        if case .network(let network) = form { network.contains(address) } else { false }
    }
}

extension FetchRules {
    /// Returns the problem of an entry, in words for its author; nil if it is a valid host.
    package static func problem(_ text: String) -> String? {
        (try? HostPattern(text)) == nil ? "is '\(text)', which is no host name, address or network" : nil
    }
}

/// The present addresses of this host's interfaces. A cloud that fetches from one of them would ask itself, or another
/// service on its host.
enum OwnAddresses {
    static func now() -> Set<IPAddress> {
        let devices = (try? System.enumerateDevices()) ?? []
        return Set(devices.compactMap { $0.address?.ipAddress.flatMap { IPAddress($0) } })
    }
}
