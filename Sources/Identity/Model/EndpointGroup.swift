import CloudCore
import HTTPKit
import Resources

/// The endpoints of which some things are true, as they become and cease to be: projects are shown them together.
struct EndpointGroup: Resource {
    var id: ID<EndpointGroup> = ID("")
    var name = ""
    var description: String?
    /// Any of `interface`, `service_id` and `region_id`, and what each must be.
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
