import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// The address usage of networks, for operators.
struct OperatorService: Sendable {
    let networking: NetworkingContext

    struct Availability: Sendable {
        var network: Network
        var subnets: [(subnet: Subnet, total: UInt128, used: Int64)]

        /// The number of addresses of all subnets, at most `UInt128.max`.
        var total: UInt128 {
            subnets.reduce(0) { sum, one in
                let (added, overflow) = sum.addingReportingOverflow(one.total)
                return overflow ? .max : added
            }
        }
    }

    /// The filters of the list, each with its column; `ip_version` filters by a column of the subnets.
    static let filters = ["network_id": "id", "network_name": "name", "project_id": "project_id"]

    /// Returns the address usage of networks that match the query's filters.
    ///
    /// - Parameter only: the one network to read; nil for all.
    func availability(_ only: ID<Network.Noun>?, _ query: Query, by caller: Principal) async throws -> [Availability] {
        guard networking.policy.allows("get_network_ip_availability", caller) else {
            if only != nil { throw CloudError.hidden }
            return []
        }
        var list = ListQuery()
        if let only { list.filter("id", .equals, only) }
        var versions: [Int64]?
        for (name, values) in PageRequest.filters(query) {
            if let column = Self.filters[name] { list.filter(column, in: values) }
            if name == "ip_version" { versions = values.compactMap { Int64($0) } }
        }
        return try await networking.read { [list, versions] tx in
            let networks = try ResourceStore<Network>().all(list, in: tx)
            if let only, networks.isEmpty { throw CloudError.missing(Network.self, only.text) }
            var ofSubnets = ListQuery()
            if list.clause.arguments.count > 0 { ofSubnets.raw.append(NetworkStore.parts(of: list.clause)) }
            if let versions { ofSubnets.filter("ip_version", in: versions) }
            let subnets = Dictionary(grouping: try ResourceStore<Subnet>().all(ofSubnets, in: tx), by: \.networkID)
            let used = try AddressStore.used(within: list.clause.arguments.count > 0 ? NetworkStore.parts(of: list.clause) : nil, in: tx)
            return networks.filter { versions == nil || subnets[$0.id] != nil }.map { network in
                Availability(
                    network: network,
                    subnets: (subnets[network.id] ?? []).map { subnet in
                        (subnet, AddressStore.count(subnet.pools.items), used[subnet.id.text] ?? 0)
                    })
            }
        }
    }
}
