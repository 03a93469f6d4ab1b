import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The groups of endpoints.
struct EndpointGroupService: IdentityService {
    typealias R = EndpointGroup

    let identity: IdentityContext

    func willCreate(_ group: inout EndpointGroup, _ given: Given<EndpointGroup>, by caller: Principal, in tx: Transaction) throws {
        guard !group.filters.isEmpty else { throw Shape.wrong("endpoint_group/filters", "it must not be empty") }
    }
}
