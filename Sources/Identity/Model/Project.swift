import CloudCore
import HTTPKit
import Resources

/// A place in the tree that owns resources. A domain is a project without a parent that acts as one: users, groups and
/// roles are named within it.
struct Project: Resource {
    typealias Noun = Kind.Project

    var id: ID<Kind.Project> = ID("")
    var name = ""
    /// Nil for a project that acts as a domain.
    var domainID: ID<Kind.Domain>?
    /// The project above, or the domain for one at the top; nil for a project that acts as a domain.
    var parentID: ID<Kind.Project>?
    var isDomain = false
    var isEnabled = true
    var description = ""
    var tags: JSON = []
    var options: JSONObject = [:]
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Project>(
        "project", "projects", table: "identity_project", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("name", \.name, .string(1...64, .notBlank), create: .required, filter: .text),
            Field("domain_id", \.domainID, .nullable(.id), update: .fixed, filter: .exact),
            Field("description", \.storedDescription, .nullable(.text), filter: .text),
            Field("enabled", \.isEnabled, .boolean, filter: .exact),
            Field("parent_id", \.parentID, .nullable(.id), update: .fixed, filter: .exact),
            Field("is_domain", \.isDomain, .boolean, update: .fixed, filter: .exact),
            Field("tags", \.tags, Form<[String]>.tags.shape),
            Field("options", \.options, Shape.resourceOptions),
        ])

    /// Null in a body means an empty description.
    private var storedDescription: String? {
        get { description }
        set { description = newValue ?? "" }
    }

    /// Immutable projects, domains and roles can be neither changed nor deleted until somebody clears the option.
    var isImmutable: Bool { options["immutable"] == true }
}

/// A project that acts as a domain, as the API of domains shows it.
struct Domain: Resource {
    typealias Noun = Kind.Domain

    struct Input: ResourceInput {
        /// The id that the maker wants; nil for a drawn one.
        var chosenID: String?
    }

    var id: ID<Kind.Domain> = ID("")
    var name = ""
    var isDomain = true
    var isEnabled = true
    var description = ""
    var tags: JSON = []
    var options: JSONObject = [:]
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Domain>(
        "domain", "domains", table: "identity_project", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("name", \.name, .string(1...64, .notBlank), create: .required, filter: .text),
            Field("description", \.storedDescription, .nullable(.string(0...255)), filter: .text),
            Field("enabled", \.isEnabled, .boolean, filter: .exact),
            Field("tags", \.tags, Form<[String]>.tags.shape),
            Field("options", \.options, Shape.resourceOptions),
            Field("is_domain", \.isDomain, .boolean, create: .unknown, update: .unknown, shown: .never),
            Field(input: .optional("explicit_domain_id", \.chosenID, .string(32...32, .id)), update: .unknown),
        ])

    private var storedDescription: String? {
        get { description }
        set { description = newValue ?? "" }
    }

    var isImmutable: Bool { options["immutable"] == true }
}

extension Form where Value == [String] {
    /// At most 80 tags of 255 characters (API-SIG's guideline on tags).
    static let tags = array(.string(1...255, .tag), 0...80, unique: true)
}

extension Shape {
    /// What projects, domains and roles may be told.
    static let resourceOptions = Shape.object([.init("immutable", .nullable(.boolean))])
}
