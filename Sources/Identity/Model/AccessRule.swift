import CloudCore
import HTTPKit
import Resources

/// A request that application credentials of a user may make. Those that may make the same have the rule in common.
struct AccessRule: Resource {
    var id: ID<AccessRule> = ID("")
    var userID: ID<Kind.User> = ID("")
    var service = ""
    var path = ""
    var method = ""

    static let schema = ResourceSchema<AccessRule>(
        "access_rule", "access_rules", table: "identity_access_rule",
        [
            Field("id", \.id, .any, create: .unknown, update: .unknown),
            Field("user_id", \.userID, .any, create: .unknown, update: .unknown, shown: .never),
            Field("service", \.service, .id, update: .unknown, filter: .text),
            Field("path", \.path, .string(1...225), update: .unknown, filter: .text),
            Field("method", \.method, methods, update: .unknown, filter: .text),
        ])

    private static let methods = Shape.oneOf(["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"])

    /// A rule as the body of an application credential has it: by its id, or by what it allows.
    static let shape = Shape.object(
        [.init("id", .id), .init("service", .id), .init("path", .string(1...225)), .init("method", methods)], open: true)

    /// - Parameter given: what `shape` was checked against.
    /// - Throws: `CloudError.badRequest` for a path that does not begin with a slash.
    static func given(_ given: JSON, of user: ID<Kind.User>, at path: String) throws -> AccessRule {
        var rule = AccessRule()
        rule.id = ID(given["id"]?.string ?? "")
        rule.userID = user
        rule.service = given["service"]?.string ?? ""
        rule.path = given["path"]?.string ?? ""
        rule.method = given["method"]?.string ?? ""
        guard rule.path.isEmpty || rule.path.hasPrefix("/") else { throw Shape.wrong("\(path)/path", "it must begin with a slash") }
        return rule
    }

    /// The most that one application credential may have. Each may be looked at for every request.
    static let most = 100

    /// Whether it says what it allows, so that it can be made.
    var isWhole: Bool { !service.isEmpty && !path.isEmpty && !method.isEmpty }
}
