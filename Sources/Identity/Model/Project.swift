import CloudCore
import HTTPKit
import Resources

/// A project in the tree of projects. A domain is a project without a parent that acts as a domain: the names of users,
/// groups and roles are unique within it.
struct Project: Resource {
    typealias Noun = Kind.Project

    var id: ID<Kind.Project> = ID("")
    var name = ""
    /// The domain; nil for a project that acts as a domain.
    var domainID: ID<Kind.Domain>?
    /// The project above this one, or the domain for a project at the top; nil for a project that acts as a domain.
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

    /// The description in a body. Null means an empty one.
    private var storedDescription: String? {
        get { description }
        set { description = newValue ?? "" }
    }

    /// Whether the project can be neither changed nor deleted until the option is cleared. Domains and roles have the
    /// same option.
    var isImmutable: Bool { options["immutable"] == true }
}

/// A project that acts as a domain, as the API of domains shows it.
struct Domain: Resource {
    typealias Noun = Kind.Domain

    struct Input: ResourceInput {
        /// The id that the caller chose; nil for a random one.
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
    /// The form of a list of tags: at most 80 tags of 255 characters (API-SIG's guideline on tags).
    static let tags = array(.string(1...255, .tag), 0...80, unique: true)
}

extension Shape {
    /// The shape of the options of projects, domains and roles.
    static let resourceOptions = Shape.object([.init("immutable", .nullable(.boolean))])
}
