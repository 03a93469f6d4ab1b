import CloudCore
import HTTPKit
import Resources

/// A policy that other services store here and fetch. Identity does not read its content.
struct StoredPolicy: Resource {
    var id: ID<StoredPolicy> = ID("")
    /// The media type of the blob.
    var type = ""
    var blob = ""
    var extra: JSONObject = [:]

    static let schema = ResourceSchema<StoredPolicy>(
        "policy", "policies", table: "identity_policy", open: true,
        [
            Field("id", \.id, .any, create: .unknown, update: .fixed),
            Field("type", \.type, .string(0...255), create: .required, filter: .text),
            Field("blob", \.blob, .text, create: .required),
        ])
}

/// The place that a stored policy is for: one endpoint, a service in all regions, or a service in a region and in the
/// regions within it.
enum PolicyPlace: Sendable {
    case endpoint(ID<Endpoint>)
    case service(ID<CatalogService>)
    case region(ID<Region>, ID<CatalogService>)

    var endpointID: ID<Endpoint>? { if case .endpoint(let id) = self { id } else { nil } }
    var regionID: ID<Region>? { if case .region(let id, _) = self { id } else { nil } }

    var serviceID: ID<CatalogService>? {
        switch self {
        case .endpoint: nil
        case .service(let id), .region(_, let id): id
        }
    }
}
