import CloudCore
import TestSupport

extension Principal {
    /// The callers that these tests try. All belong to the domain `home`, except the system reader.
    static let systemAdmin = persona("root", .system, ["admin"])
    static let systemReader = persona("auditor", .system, ["reader"], domain: "away")
    static let domainAdmin = persona("chief", .domain(.home), ["admin"])
    static let domainManager = persona("manager", .domain(.home), ["manager", "member", "reader"])
    static let projectMember = persona("member", .project(id: ID("web"), name: "web", domain: .home), ["member", "reader"])
    static let nobody = persona("nobody", .unscoped, [])

    static func persona(_ user: String, _ scope: Scope, _ roles: [String], domain: String = "home") -> Principal {
        Principal(
            userID: ID(user), userName: user, userDomain: Named(id: domain, name: domain), scope: scope,
            roles: roles.map { Named(id: "id-of-\($0)", name: $0) }, expiresAt: Timestamp(microseconds: 0))
    }
}

extension Principal.Named {
    static let home = Self(id: "home", name: "Home")
}

