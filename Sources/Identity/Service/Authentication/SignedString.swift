import CloudCore
import Foundation

/// The string that an S3 client signed. The object store has made it from the request.
struct SignedString: Sendable {
    var text: String
    var signature: String

    private static let algorithm = "AWS4-HMAC-SHA256"
    private static let services: Set<String> = ["s3", "iam", "sts"]

    /// Reads a string to sign.
    ///
    /// - Parameter token: the string in base64, of either alphabet.
    init?(token: String, signature: String) {
        let urlSafe = token.replacing("+", with: "-").replacing("/", with: "_").prefix { $0 != "=" }
        guard let bytes = Base64URL.decode(urlSafe), let text = String(validating: bytes, as: UTF8.self) else { return nil }
        self.text = text
        self.signature = signature
    }

    private var lines: [String] { text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) }
    private var isVersionFour: Bool { text.hasPrefix("AWS4") }

    /// The scope of version 4: the date, the region, the service, and `aws4_request`.
    private var scope: [String]? {
        guard lines.count == 4, lines[0] == Self.algorithm else { return nil }
        let scope = lines[2].split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard scope.count == 4, scope[3] == "aws4_request", Self.services.contains(scope[2]), lines[1].hasPrefix(scope[0]) else { return nil }
        return scope
    }

    func isSigned(with secret: Secret) -> Bool {
        let expected: String
        if isVersionFour {
            guard let scope else { return false }
            expected = Hex.text(SignedRequest.sha256(SignedRequest.signingKey(secret, scope), text))
        } else {
            expected = Base64.encode(SignedRequest.sha1(secret, text))
        }
        return constantTimeEquals(signature.utf8, expected.utf8)
    }

    /// The moment when the string was signed. A presigned URL has the moment of its creation (version 4), or only its
    /// end, for which this is nil.
    var signedAt: Timestamp? {
        if isVersionFour { return scope == nil ? nil : SignedRequest.moment(lines[1]) }
        // The lines are the verb, the body's hash, the body's type and the date. The date is empty if the header
        // `x-amz-date` has it.
        guard lines.count > 4 else { return nil }
        if !lines[3].isEmpty { return Self.moment(lines[3]) }
        let header = "x-amz-date:"
        return lines.dropFirst(4).first { $0.hasPrefix(header) }.flatMap { Self.moment(String($0.dropFirst(header.count))) }
    }

    /// Reads an HTTP date, such as `Tue, 27 Mar 2007 19:36:42 GMT`. Its zone may also be `+0000`.
    private static func moment(_ text: String) -> Timestamp? {
        let words = text.split(whereSeparator: { $0 == " " || $0 == "," }).map(String.init)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        guard words.count == 6, let month = months.firstIndex(of: words[2]), ["GMT", "UTC", "+0000"].contains(words[5]) else {
            return SignedRequest.moment(text)
        }
        func padded(_ text: String) -> String { text.utf8.count == 1 ? "0" + text : text }
        return Timestamp(iso8601: "\(words[3])-\(padded(String(month + 1)))-\(padded(words[1]))T\(words[4])Z")
    }
}
