import CloudCore
import Foundation

/// A URL that a user wants to be fetched, parsed so that it has only one meaning.
///
/// URL parsers differ on odd URLs, and a difference can be used to have one host checked and another one asked. So any
/// URL that is not plain is refused here, and the text for later use is put together again from the parts.
struct FetchURL: Hashable, Sendable, CustomStringConvertible {
    enum Scheme: String, Sendable {
        case http, https

        var port: Int { self == .http ? 80 : 443 }
    }

    let scheme: Scheme
    /// The name in lower case, or the canonical text of an address without brackets.
    let host: String
    /// The address, if the host is written as one.
    let address: IPAddress?
    let port: Int
    /// The path, which begins with a slash, and the query.
    let target: String

    private static let longest = Limits.thing.url.most

    /// Parses a URL.
    ///
    /// - Throws: `badRequest` with the fault of the URL.
    init(_ text: String) throws(CloudError) {
        guard text.utf8.count <= Self.longest else { throw Self.refused("it is longer than \(Self.longest) characters") }
        guard text.utf8.allSatisfy(Self.isPlain) else { throw Self.refused("it has characters that a URL cannot have") }
        guard let colon = text.firstIndex(of: ":"), let scheme = Scheme(rawValue: text[..<colon].lowercased()),
            text[colon...].hasPrefix("://")
        else { throw Self.refused("only http and https are allowed") }
        let rest = text[colon...].dropFirst(3).prefix { $0 != "#" }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.contains("@") else { throw Self.refused("it must not have a user name or a password") }
        let target = rest.dropFirst(authority.count)
        try self.init(scheme: scheme, authority: authority, target: target.hasPrefix("/") ? "\(target)" : "/\(target)")
    }

    private init(scheme: Scheme, authority: Substring, target: String) throws(CloudError) {
        var name = authority
        var port = scheme.port
        if let end = authority.lastIndex(of: ":"), !authority[end...].contains("]") {
            name = authority[..<end]
            let digits = authority[end...].dropFirst()
            guard digits.count <= 5, digits.utf8.allSatisfy({ (48...57).contains($0) }), let number = Int(digits), number > 0, number < 65_536
            else { throw Self.refused("its port is no port") }
            port = number
        }
        (host, address) = try Self.host(name)
        self.scheme = scheme
        self.port = port
        self.target = target
        guard let read = URL(string: description), read.host()?.trimmingCharacters(in: ["[", "]"]) == host, read.port == port else {
            throw Self.refused("it is no plain URL")
        }
    }

    private static func host(_ text: Substring) throws(CloudError) -> (String, IPAddress?) {
        if text.hasPrefix("["), text.hasSuffix("]") {
            guard let address = IPAddress(String(text.dropFirst().dropLast())), address.version == .v6 else {
                throw refused("its host is no address")
            }
            return (address.description, address)
        }
        if let address = IPAddress(String(text)), address.version == .v4 { return (address.description, address) }
        let name = (text.hasSuffix(".") ? text.dropLast() : text).lowercased()
        let labels = name.split(separator: ".", omittingEmptySubsequences: false)
        guard name.utf8.count <= 253, labels.allSatisfy({ (1...63).contains($0.utf8.count) }), name.utf8.allSatisfy(isOfName) else {
            throw refused("its host is no name")
        }
        // Resolvers read `2130706433` and `0x7f.1` as addresses.
        if let last = labels.last?.utf8, last.allSatisfy({ (48...57).contains($0) }) || last.starts(with: "0x".utf8) {
            throw refused("its host is no name and no plain address")
        }
        return (name, nil)
    }

    /// Returns the URL that a redirect leads to (RFC 3986, 5.2, without the removal of dots, which the server does).
    ///
    /// - Throws: `badRequest` for a URL that is refused, and for a change from https to http.
    func following(_ location: String) throws(CloudError) -> FetchURL {
        let next: FetchURL
        if location.hasPrefix("//") {
            next = try FetchURL("\(scheme.rawValue):\(location)")
        } else if location.prefixMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:/) != nil {
            next = try FetchURL(location)
        } else {
            let path = target.prefix { $0 != "?" }
            let folder = path.prefix(through: path.lastIndex(of: "/") ?? path.startIndex)
            let start = location.hasPrefix("/") ? "" : location.hasPrefix("?") ? path : folder
            next = try FetchURL("\(origin)\(start)\(location)")
        }
        if scheme == .https, next.scheme == .http { throw Self.refused("it leads from https to http") }
        return next
    }

    private var origin: String { "\(scheme.rawValue)://\(address?.version == .v6 ? "[\(host)]" : host):\(port)" }

    var description: String { origin + target }

    static func refused(_ reason: String) -> CloudError {
        CloudError(.badRequest, "The URI for web-download does not pass filtering: \(reason).", code: "uri_refused")
    }

    /// Returns whether RFC 3986 allows a byte in a URL.
    private static func isPlain(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && !#"\"<>^`{|}"#.utf8.contains(byte)
    }

    private static func isOfName(_ byte: UInt8) -> Bool {
        (48...57).contains(byte) || (97...122).contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
            || byte == UInt8(ascii: "_")
    }
}
