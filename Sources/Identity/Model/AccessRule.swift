import CloudCore
import HTTPKit
import Resources

/// A kind of request that application credentials of a user may make. Credentials that may make the same request share
/// the rule.
struct AccessRule: Resource {
    var id: ID<AccessRule> = ID("")
    var userID: ID<Kind.User> = ID("")
    var service = ""
    var path = ""
    var method = ""

    static let schema = ResourceSchema<AccessRule>(
        "access_rule", "access_rules", table: "identity_access_rule",
        [
            Field(own: "id", \.id),
            Field(own: "user_id", \.userID, shown: .never),
            Field("service", \.service, .id, update: .unknown, filter: .text),
            Field("path", \.path, .string(1...225), update: .unknown, filter: .text),
            Field("method", \.method, .oneOf(verbs), update: .unknown, filter: .text),
        ])

    private static let verbs = ["DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"]

    /// Returns the form of a list of rules. A body names a rule by its id, or by the request that it allows.
    ///
    /// - Parameter path: the path of the list in the body, for messages.
    static func list(at path: String) -> Form<[AccessRule]> {
        let rule = Form.object(
            AccessRule(),
            [
                .optional("id", \.id, Form<String>.string(1...64, .id).mapped { ID($0) }), .optional("service", \.service, .string(1...64, .id)),
                .optional("path", \.path, .string(1...225)), .optional("method", \.method, .oneOf(verbs)),
            ], open: true)
        return Form<[AccessRule]>.array(rule, 0...most).mapped { rules in
            for (position, rule) in rules.enumerated() {
                let place = "\(path)/\(position)"
                guard rule.path.isEmpty || rule.path.hasPrefix("/") else {
                    throw Shape.wrong("\(place)/path", "it must begin with a slash")
                }
                guard rule.isWhole || !rule.id.text.isEmpty else {
                    throw Shape.wrong(place, "it needs a service, a path and a method")
                }
            }
            return rules
        }
    }

    /// The most rules of one application credential. Each may be compared with every request.
    static let most = Limits.thing.accessRules.most

    /// Whether the rule has a service, a path and a method, so that it can be created.
    var isWhole: Bool { !service.isEmpty && !path.isEmpty && !method.isEmpty }
}
