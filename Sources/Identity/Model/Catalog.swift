import CloudCore
import HTTPKit
import Resources

/// A part of the cloud with endpoints of its own. The caller who creates it may choose its id.
struct Region: Resource {
    struct Input: ResourceInput {
        /// The id that the caller chose. If the body has none, a random one is used.
        var id = Update<String>.keep
    }

    var id: ID<Region> = ID("")
    var description = ""
    var parentRegionID: ID<Region>?
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Region>(
        "region", "regions", table: "identity_region", open: true,
        [
            Field("id", \.id, .nullable(.string(0...255)), create: .unknown, update: .fixed),
            Field(input: .update("id", \.id, .string(0...255)), update: .unknown),
            Field("description", \.storedDescription, .nullable(.string(0...255)), filter: .text),
            Field("parent_region_id", \.parentRegionID, .nullable(.string(0...255)), filter: .exact),
        ])

    private var storedDescription: String? {
        get { description }
        set { description = newValue ?? "" }
    }
}

/// One of the cloud's APIs, as an entry of the catalog.
struct CatalogService: Resource {
    var id: ID<CatalogService> = ID("")
    var type = ""
    var name: String?
    var isEnabled = true
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<CatalogService>(
        "service", "services", table: "identity_service", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("type", \.type, .string(1...255, .notBlank), create: .required, filter: .text),
            Field("name", \.name, .string(1...255), filter: .text, shown: .whenSet),
            Field(extra: "description", .nullable(.text)),
            Field("enabled", \.isEnabled, .boolean),
        ])
}

/// The URL of one of the cloud's APIs, for one interface and region.
struct Endpoint: Resource {
    struct Input: ResourceInput {
        /// The region under the attribute's old name, `region`.
        var region: JSON?
    }

    static let region = Shape.nullable(.string(1...255))

    var id: ID<Endpoint> = ID("")
    var interface = ""
    var regionID: ID<Region>?
    var serviceID: ID<CatalogService> = ID("")
    var url = ""
    var isEnabled = true
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<Endpoint>(
        "endpoint", "endpoints", table: "identity_endpoint", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("interface", \.interface, .oneOf(["admin", "internal", "public"]), create: .required, filter: .exact),
            Field("region_id", \.regionID, region, filter: .exact),
            Field("region", derived: { $0.regionID.json }),
            Field(input: .optional("region", \.region, .json(.any))),
            Field("service_id", \.serviceID, .string(1...64), create: .required, filter: .exact),
            Field("url", \.url, .string(1...225, .url), create: .required),
            Field(extra: "name", .string(0...255)),
            Field(extra: "description", .nullable(.text)),
            Field("enabled", \.isEnabled, .boolean),
        ])
}
