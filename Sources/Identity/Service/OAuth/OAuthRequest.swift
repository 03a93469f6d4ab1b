import CloudCore
import Crypto
import Foundation
import HTTPKit
import HTTPTypes

/// A request that is signed by OAuth1 (RFC 5849). It is parsed here, but its signature is not checked yet.
struct OAuthRequest: Sendable {
    /// The decoded parameters of the header, without `realm`.
    private let own: [String: String]
    /// The text that is signed (section 3.4.1).
    private let baseString: String
    private let algorithm: Algorithm
    private let signature: String
    let consumerID: ID<Consumer>
    let nonce: String
    let timestamp: Timestamp

    private enum Algorithm: String { case sha1 = "HMAC-SHA1", sha256 = "HMAC-SHA256" }

    /// The most that a client's clock may differ. Nonces are remembered for this time.
    static let tolerance = Duration.seconds(300)
    private static let longestHeader = Limits.request.oauthHeader.most
    private static let scheme = "oauth "

    // MARK: Reading

    /// Reads a request.
    ///
    /// - Parameter form: the parameters of the body, if the body is a form.
    init(_ call: Call, form: Query = .none) throws {
        try self.init(
            method: call.method.rawValue, url: call.url, query: call.query, form: form, authorization: call.headers[.authorization])
    }

    /// Reads a request from its parts.
    ///
    /// - Parameter url: the URL without its query.
    /// - Throws: `CloudError.unauthenticated` without an OAuth header; `.badRequest` for an incomplete one.
    init(method: String, url: String, query: Query, form: Query, authorization: String?) throws {
        guard let authorization, authorization.lowercased().hasPrefix(Self.scheme), authorization.utf8.count <= Self.longestHeader else {
            throw CloudError(.unauthenticated, "The request has no Authorization header of OAuth.")
        }
        let own = try Self.parameters(authorization.dropFirst(Self.scheme.count))
        self.own = own
        func required(_ name: String) throws -> String {
            guard let value = own[name], !value.isEmpty else { throw CloudError.badRequest("The Authorization header has no \(name).") }
            return value
        }
        consumerID = ID(try required("oauth_consumer_key"))
        signature = try required("oauth_signature")
        nonce = try required("oauth_nonce")
        let seconds = try required("oauth_timestamp")
        guard let seconds = Int64(seconds), seconds > 0, seconds < 10_000_000_000 else {
            throw CloudError.badRequest("oauth_timestamp must be a number of seconds.")
        }
        timestamp = Timestamp(seconds: seconds)
        guard nonce.utf8.count <= 255 else { throw CloudError.badRequest("oauth_nonce is too long.") }
        guard let algorithm = Algorithm(rawValue: try required("oauth_signature_method")) else {
            throw CloudError.badRequest("oauth_signature_method must be HMAC-SHA1 or HMAC-SHA256.")
        }
        self.algorithm = algorithm
        guard own["oauth_version"] ?? "1.0" == "1.0" else { throw CloudError.badRequest("oauth_version must be 1.0.") }
        let signed = own.filter { $0.key != "oauth_signature" }.map { ($0.key, $0.value) }
        baseString = Self.baseString(
            method, url, signed + query.items.map { ($0.name, $0.value) } + form.items.map { ($0.name, $0.value) })
    }

    subscript(name: String) -> String? { own[name].flatMap { $0.isEmpty ? nil : $0 } }

    /// Reads the parameters of a header: `name="value", …`, both percent-encoded (section 3.5.1).
    private static func parameters(_ text: Substring) throws -> [String: String] {
        var parameters: [String: String] = [:]
        for part in text.split(separator: ",") {
            let pair = part.split(separator: "=", maxSplits: 1).map { String($0).trimmed }
            guard pair.count == 2, pair[1].count >= 2, pair[1].hasPrefix("\""), pair[1].hasSuffix("\""),
                let name = Percent.decode(pair[0]), let value = Percent.decode(pair[1].dropFirst().dropLast())
            else { throw CloudError.badRequest("The Authorization header is not as OAuth has it.") }
            if name == "realm" { continue }
            guard parameters.updateValue(value, forKey: name) == nil else {
                throw CloudError.badRequest("The Authorization header has '\(name.prefix(64))' twice.")
            }
        }
        return parameters
    }

    // MARK: Checking

    func isTimely(at now: Timestamp) -> Bool { timestamp >= now - Self.tolerance && timestamp <= now + Self.tolerance }

    /// Tells whether the request was signed with both secrets. `token` is empty if there is no token yet.
    func isSigned(consumer: [UInt8], token: [UInt8]) -> Bool {
        let key = Percent.encode(String(decoding: consumer, as: UTF8.self)) + "&" + Percent.encode(String(decoding: token, as: UTF8.self))
        return constantTimeEquals(sign(SymmetricKey(data: Array(key.utf8))).utf8, signature.utf8)
    }

    private func sign(_ key: SymmetricKey) -> String {
        let text = Array(baseString.utf8)
        let mac =
            switch algorithm {
            case .sha1: Array(HMAC<Insecure.SHA1>.authenticationCode(for: text, using: key))
            case .sha256: Array(HMAC<SHA256>.authenticationCode(for: text, using: key))
            }
        return Base64.encode(mac)
    }

    /// Returns the method, the URL and the sorted parameters, each percent-encoded (sections 3.4.1.1 to 3.4.1.3).
    static func baseString(_ method: String, _ url: String, _ parameters: [(String, String)]) -> String {
        let sorted = parameters.map { (Percent.encode($0.0), Percent.encode($0.1)) }.sorted { $0 < $1 }
        let normal = sorted.map { "\($0.0)=\($0.1)" }.joined(separator: "&")
        return [method.uppercased(), normalised(url), normal].map(Percent.encode).joined(separator: "&")
    }

    /// Returns the URL with its scheme and host in lower case, and without the scheme's default port (section 3.4.1.2).
    private static func normalised(_ url: String) -> String {
        guard let colon = url.firstRange(of: "://") else { return url }
        let scheme = url[..<colon.lowerBound].lowercased()
        let rest = url[colon.upperBound...]
        var host = rest.prefix { $0 != "/" }.lowercased()
        let path = rest.drop { $0 != "/" }
        for (known, port) in [("http", ":80"), ("https", ":443")] where scheme == known && host.hasSuffix(port) {
            host.removeLast(port.count)
        }
        return "\(scheme)://\(host)\(path.isEmpty ? "/" : path)"
    }
}
