import CloudCore
import HTTPKit
import Resources

/// A word that policies know. A role of a domain is unknown to policies: it only implies other roles.
struct Role: Resource {
    typealias Noun = Kind.Role

    var id: ID<Kind.Role> = ID("")
    var name = ""
    var domainID: ID<Kind.Domain>?
    var description: String?
    var options: JSONObject = [:]
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Role>(
        "role", "roles", table: "identity_role", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("name", \.name, .name, create: .required, filter: .text),
            Field("domain_id", \.domainID, .nullable(.id), update: .fixed, filter: .exact),
            Field("description", \.description, .nullable(.text)),
            Field("options", \.options, Shape.resourceOptions),
        ])

    var isImmutable: Bool { options["immutable"] == true }
}
