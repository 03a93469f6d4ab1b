import CloudCore
import HTTPKit
import Resources

/// The default limit of a resource of a service, in one region or in all. It holds for every project without a limit of
/// its own.
struct RegisteredLimit: Resource {
    var id: ID<RegisteredLimit> = ID("")
    var serviceID: ID<CatalogService> = ID("")
    var regionID: ID<Region>?
    var resourceName = ""
    var defaultLimit = 0
    var description: String?

    static let schema = ResourceSchema<RegisteredLimit>(
        "registered_limit", "registered_limits", table: "identity_registered_limit",
        [
            Field(own: "id", \.id),
            Field("service_id", \.serviceID, .id, create: .required, filter: .exact),
            Field("region_id", \.regionID, .nullable(.string(1...255)), filter: .exact),
            Field("resource_name", \.resourceName, .name, create: .required, filter: .text),
            Field("default_limit", \.defaultLimit, .limit, create: .required),
            Field("description", \.description, .nullable(.string(0...255))),
        ])
}

/// The limit of a resource for one project or one domain.
struct Limit: Resource {
    var id: ID<Limit> = ID("")
    var projectID: ID<Kind.Project>?
    var domainID: ID<Kind.Domain>?
    var serviceID: ID<CatalogService> = ID("")
    var regionID: ID<Region>?
    var resourceName = ""
    var resourceLimit = 0
    var description: String?
    /// The registered limit that this limit overrides. A registered limit cannot change while limits override it.
    var registeredLimitID: ID<RegisteredLimit> = ID("")

    static let schema = ResourceSchema<Limit>(
        "limit", "limits", table: "identity_limit",
        [
            Field(own: "id", \.id),
            Field("project_id", \.projectID, .nullable(.id), update: .unknown, filter: .exact),
            Field("domain_id", \.domainID, .nullable(.id), update: .unknown, filter: .exact),
            Field("service_id", \.serviceID, .id, create: .required, update: .unknown, filter: .exact),
            Field("region_id", \.regionID, .nullable(.string(1...255)), update: .unknown, filter: .exact),
            Field("resource_name", \.resourceName, .name, create: .required, update: .unknown, filter: .text),
            Field("resource_limit", \.resourceLimit, .limit, create: .required),
            Field("description", \.description, .nullable(.string(0...255))),
            Field(own: "registered_limit_id", \.registeredLimitID, shown: .never),
        ])

    /// Tells whether both limits are about the same resource, whoever they limit.
    func concerns(_ other: Limit) -> Bool {
        serviceID == other.serviceID && regionID == other.regionID && resourceName == other.resourceName
    }
}

extension Shape {
    /// The shape of a limit. -1 means unlimited.
    static let limit = Shape.integer(-1...0x7fff_ffff)
}
