import CloudCore
import HTTPKit
import Resources

/// A group of users who are given roles together.
struct Group: Resource {
    typealias Noun = Kind.Group

    var id: ID<Kind.Group> = ID("")
    var name = ""
    var domainID: ID<Kind.Domain> = ID("")
    var description = ""
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Group>(
        "group", "groups", table: "identity_group", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("name", \.name, .name, create: .required, filter: .text),
            Field("domain_id", \.domainID, .id, update: .fixed, filter: .exact),
            Field("description", \.storedDescription, .nullable(.text), filter: .text),
        ])

    private var storedDescription: String? {
        get { description }
        set { description = newValue ?? "" }
    }
}
