import CloudCore

/// The methods by which a user authenticated. A token that was made from another token keeps the methods of both.
struct AuthMethods: OptionSet, Sendable, Hashable {
    let rawValue: UInt8

    static let password = AuthMethods(rawValue: 1)
    static let token = AuthMethods(rawValue: 2)
    static let totp = AuthMethods(rawValue: 4)
    static let applicationCredential = AuthMethods(rawValue: 8)
    static let oauth1 = AuthMethods(rawValue: 16)
    static let ec2 = AuthMethods(rawValue: 32)

    private static let names: [(AuthMethods, String)] = [
        (.token, "token"), (.password, "password"), (.totp, "totp"), (.applicationCredential, "application_credential"),
        (.oauth1, "oauth1"), (.ec2, "ec2credential"),
    ]

    init(rawValue: UInt8) { self.rawValue = rawValue }

    /// Makes the method with a name; nil for an unknown name.
    init?(name: String) {
        guard let found = Self.names.first(where: { $0.1 == name }) else { return nil }
        self = found.0
    }

    /// The methods that prove who the user is. Any other method gives only a part of the user's rights. That holds for
    /// a method that is added later and not listed here.
    private static let primary: AuthMethods = [.password, .token, .totp]

    var isDelegated: Bool { isEmpty || !isSubset(of: Self.primary) }

    var texts: [String] { Self.names.filter { contains($0.0) }.map(\.1) }
}

/// The content of a token, which never changes: the user, the methods, the scope and the times. Everything else is read
/// from the database when the token is shown.
struct Token: Sendable, Hashable {
    enum Scope: Sendable, Hashable {
        case unscoped
        case project(ID<Kind.Project>)
        case domain(ID<Kind.Domain>)
        case system
    }

    var userID: ID<Kind.User>
    var methods: AuthMethods
    var scope: Scope
    var issuedAt: Timestamp
    var expiresAt: Timestamp
    /// The token's own audit id. If it was made from another token, the audit id of the chain's first token follows.
    var auditIDs: [String]
    var trustID: ID<Kind.Trust>?
    var applicationCredentialID: ID<Kind.ApplicationCredential>?
    var accessTokenID: ID<AccessToken>?

    /// The audit id that all tokens of a chain of rescoped tokens share.
    var chainID: String { auditIDs.last ?? "" }
}

// MARK: - Bytes

extension Token {
    private static let layout: UInt8 = 1

    /// The token as bytes to be sealed. An id of 32 hexadecimal digits takes 16 bytes, so a token's text has about 200
    /// characters.
    var bytes: [UInt8] {
        var out: [UInt8] = [Self.layout, methods.rawValue]
        Self.put(issuedAt.microseconds, &out)
        Self.put(expiresAt.microseconds, &out)
        Self.put(userID.text, &out)
        switch scope {
        case .unscoped: out.append(0)
        case .project(let id):
            out.append(1)
            Self.put(id.text, &out)
        case .domain(let id):
            out.append(2)
            Self.put(id.text, &out)
        case .system: out.append(3)
        }
        out.append(UInt8(auditIDs.count))
        for id in auditIDs { Self.put(id, &out) }
        for id in [trustID?.text, applicationCredentialID?.text, accessTokenID?.text] { Self.put(id ?? "", &out) }
        return out
    }

    /// Reads a token; nil if the bytes are not a token's.
    init?(bytes: [UInt8]) {
        var reader = Reader(bytes: bytes[...])
        guard reader.byte() == Self.layout, let methods = reader.byte(), let issued = reader.number(),
            let expires = reader.number(), let user = reader.text(), let kind = reader.byte()
        else { return nil }
        let scope: Scope
        switch kind {
        case 0: scope = .unscoped
        case 1:
            guard let id = reader.text() else { return nil }
            scope = .project(ID(id))
        case 2:
            guard let id = reader.text() else { return nil }
            scope = .domain(ID(id))
        case 3: scope = .system
        default: return nil
        }
        guard let count = reader.byte(), count <= 2 else { return nil }
        let audits = (0..<count).compactMap { _ in reader.text() }
        guard audits.count == Int(count), let trust = reader.text(), let credential = reader.text(), let access = reader.text(),
            reader.bytes.isEmpty
        else { return nil }
        self.init(
            userID: ID(user), methods: AuthMethods(rawValue: methods), scope: scope, issuedAt: Timestamp(microseconds: issued),
            expiresAt: Timestamp(microseconds: expires), auditIDs: audits, trustID: trust.isEmpty ? nil : ID(trust),
            applicationCredentialID: credential.isEmpty ? nil : ID(credential), accessTokenID: access.isEmpty ? nil : ID(access))
    }

    private static func put(_ number: Int64, _ out: inout [UInt8]) {
        for shift in stride(from: 56, through: 0, by: -8) { out.append(UInt8(truncatingIfNeeded: number >> Int64(shift))) }
    }

    /// Writes a length and the text's bytes. For 32 lower case hexadecimal digits it writes the length 255 and 16
    /// bytes.
    private static func put(_ text: String, _ out: inout [UInt8]) {
        if text.utf8.count == 32, let packed = Hex.bytes(text), Hex.text(packed) == text {
            out.append(255)
            out += packed
        } else {
            let utf8 = Array(text.utf8.prefix(254))
            out.append(UInt8(utf8.count))
            out += utf8
        }
    }

    private struct Reader {
        var bytes: ArraySlice<UInt8>

        mutating func byte() -> UInt8? { bytes.popFirst() }

        mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
            guard bytes.count >= count else { return nil }
            defer { bytes = bytes.dropFirst(count) }
            return bytes.prefix(count)
        }

        mutating func number() -> Int64? {
            take(8).map { $0.reduce(Int64(0)) { $0 << 8 | Int64($1) } }
        }

        mutating func text() -> String? {
            guard let length = byte() else { return nil }
            if length == 255 { return take(16).map { Hex.text($0) } }
            return take(Int(length)).flatMap { String(validating: $0, as: UTF8.self) }
        }
    }
}
