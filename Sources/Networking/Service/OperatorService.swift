import Access
import CloudCore
import HTTPKit
import Resources
import SQL

/// What operators look at: how full networks are, the hosts, and their zones.
struct OperatorService: Sendable {
    let networking: NetworkingContext

    struct Availability: Sendable {
        var network: Network
        var subnets: [(subnet: Subnet, total: Double, used: Int64)]
    }

    /// - Parameter only: one network; nil for all.
    func availability(_ only: ID<Network.Noun>?, _ query: Query, by caller: Principal) async throws -> [Availability] {
        guard networking.policy.allows("get_network_ip_availability", caller) else {
            if only != nil { throw CloudError.hidden }
            return []
        }
        return try await networking.read { tx in
            var list = ListQuery()
            if let only { list.filter("id", .equals, only) }
            for (name, column) in [("network_id", "id"), ("network_name", "name"), ("project_id", "project_id"), ("tenant_id", "project_id")] {
                let values = query.items.filter { $0.name == name }.map(\.value)
                if !values.isEmpty { list.filter(column, in: values) }
            }
            let networks = try ResourceStore<Network>().all(list, in: tx)
            if only != nil, networks.isEmpty { throw CloudError.missing(Network.self, only?.text ?? "") }
            let version = query["ip_version"].flatMap { Int64($0) }
            let subnets = Dictionary(grouping: try ResourceStore<Subnet>().all(in: tx).filter { version == nil || $0.version == version }) { $0.networkID }
            var used: [String: Int64] = [:]
            for row in try tx.rows("SELECT subnet_id, count(*) FROM networking_ip_allocation GROUP BY subnet_id") {
                used[try row.value(at: 0)] = try row.value(at: 1)
            }
            return networks.filter { version == nil || subnets[$0.id] != nil }.map { network in
                Availability(
                    network: network,
                    subnets: (subnets[network.id] ?? []).map { subnet in
                        (subnet, subnet.pools.items.map { Double($0.count) }.reduce(0, +), used[subnet.id.text] ?? 0)
                    })
            }
        }
    }

    /// None for who may not see them: a list hides, it does not refuse.
    func hosts(_ action: Action, by caller: Principal) async throws -> [NetworkHost] {
        guard networking.policy.allows(action, caller) else { return [] }
        return try await networking.read { tx in try networking.hosts.hosts(in: tx) }
    }
}
