import CloudCore
import HTTPKit
import Resources

/// The endpoints that match a set of filters at this moment. Projects are shown them together.
struct EndpointGroup: Resource {
    var id: ID<EndpointGroup> = ID("")
    var name = ""
    var description: String?
    /// The values that `interface`, `service_id` and `region_id` must have. Each member is optional.
    var filters: JSONObject = [:]

    static let schema = ResourceSchema<EndpointGroup>(
        "endpoint_group", "endpoint_groups", table: "identity_endpoint_group",
        [
            Field(own: "id", \.id),
            Field("name", \.name, .name, create: .required, filter: .text),
            Field("description", \.description, .nullable(.text)),
            Field("filters", \.filters, filterShape, create: .required),
        ])

    private static let filterShape = Shape.object([
        .init("interface", .oneOf(["admin", "internal", "public"])), .init("service_id", .text), .init("region_id", .nullable(.text)),
    ])
}
