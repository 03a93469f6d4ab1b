import CloudCore
import HTTPKit

/// The body of `POST /v3/auth/tokens`, read and checked.
struct AuthRequest: Sendable {
    /// What a name or an id stands for.
    struct Reference: Sendable {
        var id: String?
        var name: String?
        /// The domain of a name.
        var domain: DomainReference?
    }

    struct DomainReference: Sendable {
        var id: String?
        var name: String?
    }

    enum Scope: Sendable {
        /// The body says nothing: the user's default project, if there is one.
        case unsaid
        case unscoped
        case project(Reference)
        case domain(DomainReference)
        case system
        case trust(ID<Kind.Trust>)
    }

    var methods: [String]
    /// What each method was given.
    var parameters: [String: JSONObject]
    var scope: Scope

    /// - Throws: `CloudError.badRequest` that names what is wrong.
    init(_ body: JSONObject) throws {
        let auth = try Shape.unwrap(body, "auth", .object([.init("identity", Self.identity, required: true), .init("scope", .any)], open: true))
        let identity = auth["identity"]?.object ?? [:]
        let methods = identity["methods"]?.array?.compactMap(\.string) ?? []
        guard !methods.isEmpty else { throw Shape.wrong("auth/identity/methods", "it must name a method") }
        // The same method twice would be hashed twice (CVE-2014-2828).
        guard Set(methods).count == methods.count else { throw Shape.wrong("auth/identity/methods", "it names a method twice") }
        var parameters: [String: JSONObject] = [:]
        for method in methods {
            guard let given = identity[method] else { continue }
            try Self.shapes[method]?.check(given, at: "auth/identity/\(method)")
            guard case .object(let object) = given else { throw Shape.wrong("auth/identity/\(method)", "it must be an object") }
            parameters[method] = object
        }
        self.methods = methods
        self.parameters = parameters
        scope = try Self.scope(auth["scope"])
    }

    // MARK: Scopes

    private static func scope(_ json: JSON?) throws -> Scope {
        guard let json, !json.isNull else { return .unsaid }
        if json == "unscoped" { return .unscoped }
        try scopeShape.check(json, at: "auth/scope")
        let scope = json.object ?? [:]
        let said = ["project", "domain", "system", "OS-TRUST:trust", "unscoped"].filter { scope[$0] != nil }
        guard said.count <= 1 else { throw Shape.wrong("auth/scope", "it names more than one scope: \(said.joined(separator: ", "))") }
        switch said.first {
        case "project": return .project(try reference(scope["project"]?.object ?? [:], at: "auth/scope/project"))
        case "domain":
            let domain = try domainReference(scope["domain"]?.object ?? [:], at: "auth/scope/domain")
            return .domain(domain)
        case "system":
            guard scope["system"]?.object?["all"] == true else { throw Shape.wrong("auth/scope/system", "'all' must be true") }
            return .system
        case "OS-TRUST:trust": return .trust(ID(scope["OS-TRUST:trust"]?.object?["id"]?.string ?? ""))
        case "unscoped": return .unscoped
        default: return .unsaid
        }
    }

    /// - Throws: `CloudError.badRequest` without an id or a name, and for a name whose domain is not said.
    static func reference(_ object: JSONObject, at path: String) throws -> Reference {
        var reference = Reference(id: object["id"]?.string, name: object["name"]?.string)
        if let domain = object["domain"]?.object { reference.domain = try domainReference(domain, at: "\(path)/domain") }
        guard reference.id != nil || reference.name != nil else { throw Shape.wrong(path, "id or name must be present") }
        guard reference.id != nil || reference.domain != nil else { throw Shape.wrong(path, "a name needs its domain") }
        return reference
    }

    private static func domainReference(_ object: JSONObject, at path: String) throws -> DomainReference {
        let reference = DomainReference(id: object["id"]?.string, name: object["name"]?.string)
        guard reference.id != nil || reference.name != nil else { throw Shape.wrong(path, "id or name must be present") }
        return reference
    }

    // MARK: Shapes

    private static let text = Shape.string(0...255)
    private static let domain = Shape.object([.init("id", text), .init("name", text)], open: true)
    private static let user: [Shape.Member] = [.init("id", text), .init("name", text), .init("domain", domain)]

    private static let identity = Shape.object([.init("methods", .array(.string(1...64), 0...16), required: true)], open: true)

    private static let scopeShape = Shape.object([
        .init("project", .object([.init("id", text), .init("name", text), .init("domain", domain)], open: true)),
        .init("domain", domain),
        .init("system", .object([.init("all", .boolean, required: true)])),
        .init("OS-TRUST:trust", .object([.init("id", text, required: true)], open: true)),
        .init("unscoped", .any),
    ])

    private static let shapes: [String: Shape] = [
        "password": .object([
            .init("user", .object(user + [.init("password", .string(0...PasswordPolicy.longest), required: true)], open: true), required: true)
        ]),
        "token": .object([.init("id", .string(1...4096), required: true)]),
        "totp": .object([.init("user", .object(user + [.init("passcode", .string(1...64), required: true)], open: true), required: true)]),
        "application_credential": .object([
            .init("id", text), .init("name", text), .init("secret", .string(0...4096), required: true),
            .init("user", .object(user, open: true)),
        ]),
        "oauth1": .openObject,
    ]

    /// For tests that feed the body every wrong thing.
    static let shape = Shape.object([
        .init(
            "auth",
            .object([
                .init("identity", .object([.init("methods", .array(.string(1...64)), required: true)] + shapes.map { .init($0.key, $0.value) }), required: true),
                .init("scope", scopeShape),
            ]), required: true)
    ])
}
