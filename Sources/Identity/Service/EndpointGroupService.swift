import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// Groups of endpoints.
struct EndpointGroupService: ResourceService {
    typealias R = EndpointGroup

    let identity: IdentityContext

    var context: ServiceContext { identity.base }

    func willCreate(_ group: inout EndpointGroup, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        guard !group.filters.isEmpty else { throw Shape.wrong("endpoint_group/filters", "it must not be empty") }
    }

    func willUpdate(
        _ group: inout EndpointGroup, from old: EndpointGroup, _ given: JSONObject, by caller: Principal, in tx: Transaction
    ) throws {
        guard !given.isEmpty else { throw Shape.wrong("endpoint_group", "it must have at least one property") }
    }
}
