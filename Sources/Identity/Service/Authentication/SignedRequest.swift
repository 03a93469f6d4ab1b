import CloudCore
import Crypto
import Foundation
import HTTPKit

/// A request to another service, signed with an EC2 key. The other service passes it on to be checked.
///
/// The signatures are those of AWS: versions 0, 1 and 2 of its query APIs, and version 4
/// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
struct SignedRequest: Sendable {
    var signature: String
    var verb: String
    var host: String
    var path: String
    var parameters: [String: String]
    var headers: [String: String]
    var bodyHash: String

    private enum Version { case zero, one, two, four }

    private var version: Version? {
        switch parameters["SignatureVersion"] {
        case "0": .zero
        case "1": .one
        case "2": .two
        case nil, "4": isVersionFour ? .four : nil
        default: nil
        }
    }

    private var isVersionFour: Bool {
        if let authorization = headers["Authorization"] { return authorization.hasPrefix(Self.algorithm) }
        return parameters["X-Amz-Algorithm"] == Self.algorithm
    }

    private static let algorithm = "AWS4-HMAC-SHA256"

    // MARK: Checking

    /// The moment when the request was signed, as far as the signature covers it; nil if it is not given.
    ///
    /// A presigned URL only says for how long it may be used, not that its owner uses it now. It has no such moment, so
    /// that nobody who finds the URL can turn it into a token (CVE-2025-65073).
    var signedAt: Timestamp? {
        guard parameters["X-Amz-Expires"] == nil, parameters["Expires"] == nil else { return nil }
        switch version {
        case .zero, .one, .two: return parameters["Timestamp"].flatMap(Self.moment)
        case .four: return date.flatMap(Self.moment)
        case nil: return nil
        }
    }

    func isSigned(with secret: Secret) -> Bool {
        if matches(secret) { return true }
        // Some clients sign the host without its port.
        guard version == .two, let colon = host.lastIndex(of: ":"), !host.hasSuffix("]") else { return false }
        var other = self
        other.host = String(host[..<colon])
        return other.matches(secret)
    }

    private func matches(_ secret: Secret) -> Bool {
        guard !signature.isEmpty, let expected = expected(secret) else { return false }
        return constantTimeEquals(signature.utf8, expected.utf8)
    }

    private func expected(_ secret: Secret) -> String? {
        switch version {
        case .zero: zero(secret)
        case .one: one(secret)
        case .two: two(secret)
        case .four: four(secret)
        case nil: nil
        }
    }

    // MARK: Versions 0 to 2

    private func zero(_ secret: Secret) -> String? {
        guard let action = parameters["Action"], let timestamp = parameters["Timestamp"] else { return nil }
        return Base64.encode(Self.sha1(secret, action + timestamp))
    }

    private func one(_ secret: Secret) -> String {
        let sorted = parameters.sorted { ($0.key.lowercased(), $0.key) < ($1.key.lowercased(), $1.key) }
        return Base64.encode(Self.sha1(secret, sorted.map { $0.key + $0.value }.joined()))
    }

    private func two(_ secret: Secret) -> String {
        var signed = parameters
        signed["SignatureMethod"] = "HmacSHA256"
        let text = "\(verb)\n\(host)\n\(path)\n\(Self.canonicalQuery(signed))"
        return Base64.encode(Self.sha256(Array(secret.reveal().utf8), text))
    }

    /// Returns the parameters as a query, sorted by bytes, with each name and value percent-encoded.
    private static func canonicalQuery(_ parameters: [String: String]) -> String {
        parameters.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { "\(Percent.encode($0.key))=\(Percent.encode($0.value))" }.joined(separator: "&")
    }

    // MARK: Version 4

    private var date: String? { headers["X-Amz-Date"] ?? parameters["X-Amz-Date"] }

    /// Returns `Credential` or `SignedHeaders`, from the `Authorization` header or from the query.
    private func parameter(_ name: String) -> String? {
        guard let authorization = headers["Authorization"] else { return parameters["X-Amz-\(name)"] }
        guard let start = authorization.range(of: "\(name)=")?.upperBound else { return nil }
        return String(authorization[start...].prefix { $0 != "," })
    }

    private func four(_ secret: Secret) -> String? {
        guard let credential = parameter("Credential"), let names = parameter("SignedHeaders"), let date else { return nil }
        let scope = credential.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard scope.count == 4, !scope[0].isEmpty, date.hasPrefix(scope[0]) else { return nil }
        let query = verb.uppercased() == "POST" ? "" : Self.canonicalQuery(parameters)
        let canonical = [verb.uppercased(), path, query, canonicalHeaders(names) + "\n", names, bodyHash].joined(separator: "\n")
        let digest = Hex.text(SHA256.hash(data: Array(canonical.utf8)))
        let text = [Self.algorithm, date, scope.joined(separator: "/"), digest].joined(separator: "\n")
        return Hex.text(Self.sha256(Self.signingKey(secret, scope), text))
    }

    private func canonicalHeaders(_ names: String) -> String {
        var lower: [String: String] = [:]
        for (name, value) in headers { lower[name.trimmed.lowercased()] = value.trimmed }
        return names.split(separator: ";").compactMap { name in lower[String(name)].map { "\(name):\($0)" } }.joined(separator: "\n")
    }

    /// Returns the key of a signature.
    ///
    /// - Parameter scope: the date, the region, the service, and `aws4_request`.
    static func signingKey(_ secret: Secret, _ scope: [String]) -> [UInt8] {
        (scope.dropLast() + ["aws4_request"]).reduce(Array(("AWS4" + secret.reveal()).utf8)) { key, part in sha256(key, part) }
    }

    // MARK: Parts

    /// Reads a moment in the formats `2026-01-31T23:59:59Z` and `20260131T235959Z` (AWS).
    static func moment(_ text: String) -> Timestamp? {
        let letters = Array(text)
        guard letters.count == 16, letters[8] == "T", letters[15] == "Z" else { return Timestamp(iso8601: text) }
        func part(_ range: Range<Int>) -> String { String(letters[range]) }
        return Timestamp(
            iso8601: "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
    }

    static func sha1(_ secret: Secret, _ text: String) -> [UInt8] {
        let key = SymmetricKey(data: Array(secret.reveal().utf8))
        return Array(HMAC<Insecure.SHA1>.authenticationCode(for: Array(text.utf8), using: key))
    }

    static func sha256(_ key: [UInt8], _ text: String) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: SymmetricKey(data: key)))
    }
}
