import CloudCore
import HTTPKit

/// The body of `POST /v3/auth/tokens`.
struct AuthRequest: Sendable {
    /// A reference to a user or a project, by id or by name.
    struct Reference: Sendable {
        var id: String?
        var name: String?
        /// The domain that the name belongs to.
        var domain: DomainReference?
    }

    struct DomainReference: Sendable {
        var id: String?
        var name: String?
    }

    enum Scope: Sendable {
        /// The body has no scope. The token is for the user's default project, if there is one.
        case unsaid
        case unscoped
        case project(Reference)
        case domain(DomainReference)
        case system
        case trust(ID<Kind.Trust>)
    }

    /// The proof of identity that a body has for one method.
    enum Claim: Sendable {
        case password(UserSecret)
        case token(String)
        case totp(UserSecret)
        case applicationCredential(CredentialSecret)
        /// The signature of the request itself.
        case oauth1
    }

    /// A user with a password or a passcode.
    struct UserSecret: Sendable {
        var user: Reference
        var secret: Secret
    }

    /// An application credential with its secret. It is named by its id, or by its name and its user.
    struct CredentialSecret: Sendable {
        var id: String?
        var name: String?
        var owner: Reference?
        var secret = Secret("")
    }

    var methods: [String]
    /// The claims by method, for each known method that the body names and has a claim for.
    var claims: [String: Claim]
    var scope: Scope

    /// Reads a body.
    ///
    /// - Throws: `CloudError.badRequest` that names the wrong member.
    init(_ body: JSONObject) throws {
        let auth = try Self.auth.parse(body, inside: "auth")
        methods = auth.identity.methods
        guard !methods.isEmpty else { throw Shape.wrong("auth/identity/methods", "it must name a method") }
        // Otherwise a method that is named twice would be checked twice (CVE-2014-2828).
        guard Set(methods).count == methods.count else { throw Shape.wrong("auth/identity/methods", "it names a method twice") }
        claims = [:]
        for method in methods {
            guard let given = auth.identity.claims[method] else { continue }
            let place = "auth/identity/\(method)"
            claims[method] = try Self.forms[method]?.parse(given, .house(place))
            guard given.object != nil else { throw Shape.wrong(place, "it must be an object") }
        }
        scope = try Self.scope(auth.scope)
    }

    // MARK: Forms

    /// The outer members. A claim is only read if its method is named. Other members are ignored.
    private struct Auth: Sendable {
        var identity = Identity()
        var scope: JSON = .null
    }

    private struct Identity: Sendable {
        var methods: [String] = []
        var claims: JSONObject = [:]
    }

    private static let identity = Form<Identity>(
        .object([.init("methods", .array(.string(1...64), 0...16), required: true)], open: true)
    ) { json, _ in
        let members = json.object ?? [:]
        return Identity(methods: members["methods"]?.array?.compactMap(\.string) ?? [], claims: members)
    }

    private static let auth = Form.object(
        Auth(), [.required("identity", \.identity, identity), .optional("scope", \.scope, .json(.any))], open: true)

    private static let domain: [FormMember<DomainReference>] = [
        .optional("id", \.id, .string(0...255)), .optional("name", \.name, .string(0...255)),
    ]

    private static let reference: [FormMember<Reference>] = [
        .optional("id", \.id, .string(0...255)), .optional("name", \.name, .string(0...255)),
        .optional("domain", \.domain, .object(DomainReference(), domain, open: true)),
    ]

    /// Returns the form of a user and something that proves who they are.
    private static func user(_ method: String, _ proof: String, _ lengths: ClosedRange<Int>) -> Form<UserSecret> {
        let secret = Form<String>.string(lengths).mapped { Secret($0) }
        var members: [FormMember<UserSecret>] = reference.map { $0.of(\UserSecret.user) }
        members.append(.required(proof, \.secret, secret))
        let user = Form.object(UserSecret(user: Reference(), secret: Secret("")), members, open: true).mapped { given in
            try check(given.user, at: "auth/identity/\(method)/user")
            return given
        }
        return user.inside("user")
    }

    private static let credential = Form.object(
        CredentialSecret(),
        [
            .optional("id", \.id, .string(0...255)), .optional("name", \.name, .string(0...255)),
            .required("secret", \.secret, Form<String>.string(0...4096).mapped { Secret($0) }),
            .optional("user", \.owner, .object(Reference(), reference, open: true)),
        ]
    ).mapped { given in
        if let owner = given.owner { try check(owner, at: "auth/identity/application_credential/user") }
        guard given.id != nil || (given.name != nil && given.owner != nil) else {
            throw Shape.wrong("auth/identity/application_credential", "it needs an id, or a name and its user")
        }
        return given
    }

    private static let forms: [String: Form<Claim>] = [
        "password": user("password", "password", 0...PasswordPolicy.longest).mapped { .password($0) },
        "token": Form.object("", [.required("id", \.self, .string(1...4096))]).mapped { .token($0) },
        "totp": user("totp", "passcode", 1...64).mapped { .totp($0) },
        "application_credential": credential.mapped { .applicationCredential($0) },
        "oauth1": Form<JSON>.json(.openObject).mapped { _ in .oauth1 },
    ]

    // MARK: Scopes

    /// The scopes that a body names. A valid body has at most one.
    private struct Scopes: Sendable {
        var project: Reference?
        var domain: DomainReference?
        var system: Bool?
        var trust: String?
        var unscoped: JSON?
    }

    private static let scopes = Form.object(
        Scopes(),
        [
            .optional("project", \.project, .object(Reference(), reference, open: true)),
            .optional("domain", \.domain, .object(DomainReference(), domain, open: true)),
            .optional("system", \.system, .object(false, [.required("all", \.self, .boolean)])),
            .optional("OS-TRUST:trust", \.trust, .object("", [.required("id", \.self, .string(0...255))], open: true)),
            .optional("unscoped", \.unscoped, .json(.any)),
        ])

    private static func scope(_ json: JSON) throws -> Scope {
        if json.isNull { return .unsaid }
        if json == "unscoped" { return .unscoped }
        let given = try scopes.parse(json, .house("auth/scope"))
        var said: [(name: String, scope: Scope)] = []
        if let project = given.project { said.append(("project", .project(project))) }
        if let domain = given.domain { said.append(("domain", .domain(domain))) }
        if given.system != nil { said.append(("system", .system)) }
        if let trust = given.trust { said.append(("OS-TRUST:trust", .trust(ID(trust)))) }
        if given.unscoped != nil { said.append(("unscoped", .unscoped)) }
        guard said.count <= 1 else {
            throw Shape.wrong("auth/scope", "it names more than one scope: \(said.map(\.name).joined(separator: ", "))")
        }
        guard given.system ?? true else { throw Shape.wrong("auth/scope/system", "'all' must be true") }
        if let project = given.project { try check(project, at: "auth/scope/project") }
        if let domain = given.domain { try check(domain, at: "auth/scope/domain") }
        return said.first?.scope ?? .unsaid
    }

    /// Checks that a reference has an id, or a name with its domain.
    ///
    /// - Throws: `CloudError.badRequest` if it has neither.
    private static func check(_ reference: Reference, at path: String) throws {
        if let domain = reference.domain { try check(domain, at: "\(path)/domain") }
        guard reference.id != nil || reference.name != nil else { throw Shape.wrong(path, "id or name must be present") }
        guard reference.id != nil || reference.domain != nil else { throw Shape.wrong(path, "a name needs its domain") }
    }

    private static func check(_ domain: DomainReference, at path: String) throws {
        guard domain.id != nil || domain.name != nil else { throw Shape.wrong(path, "id or name must be present") }
    }
}
