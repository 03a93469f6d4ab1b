import CloudCore
import HostModel
import SQL

/// The number of servers of one request that fit into the quotas. It is found by division, since a request may ask for
/// any number.
struct ServerRoom: Sendable {
    /// The most servers that one request creates, also where no quota is set. All of them are created in one
    /// transaction.
    static let mostAtOnce = Limits.request.servers.most

    let needs: ComputeNeeds

    private struct Demand {
        let resource: QuotaResource
        let each: Int
        let limit: Int
        let used: Int

        /// The number of servers that fit; nil for any number.
        var room: Int? {
            guard limit >= 0, each > 0 else { return nil }
            return max(0, limit - used) / each
        }
    }

    /// Returns how many servers can be created.
    ///
    /// - Returns: a number from the least to the most that the request asks for.
    /// - Throws: `CloudError.quotaExceeded` if fewer than the least can be created.
    func servers(_ wish: ServerCreation.Wish, _ flavor: Flavor, _ plan: NetworkPlan, by caller: Caller, in tx: Transaction) throws -> Int {
        var most = wish.most
        for user in [nil, caller.userID] as [String?] {
            let demands = try demands(flavor, caller.projectID, user, in: tx)
            let room = demands.compactMap(\.room).min() ?? most
            guard room >= wish.least else { throw Self.exceeded(demands.filter { ($0.room ?? .max) < most }, wish) }
            most = min(most, room)
        }
        let ports = plan.ports.count { !$0.isGiven }
        if ports > 0, let free = try needs.networking.freePorts(of: ID(caller.projectID), in: tx) {
            guard free / ports >= wish.least else { throw CloudError(.quotaExceeded, "Maximum number of ports exceeded") }
            most = min(most, free / ports)
        }
        guard wish.least <= Self.mostAtOnce else {
            throw CloudError(.quotaExceeded, "Quota exceeded: one request makes at most \(Self.mostAtOnce) servers.")
        }
        return min(most, Self.mostAtOnce)
    }

    private func demands(_ flavor: Flavor, _ project: String, _ user: String?, in tx: Transaction) throws -> [Demand] {
        let quotas = QuotaStore()
        let limits = try quotas.limits(project: project, user: user, in: tx)
        let usage = try quotas.usage(project: project, user: user, in: tx)
        let each: [(QuotaResource, Int)] = [(.cores, flavor.vcpus), (.instances, 1), (.ram, flavor.ramMiB)]
        return each.map { Demand(resource: $0.0, each: $0.1, limit: limits[$0.0] ?? -1, used: usage[$0.0] ?? 0) }
    }

    private static func exceeded(_ overs: [Demand], _ wish: ServerCreation.Wish) -> CloudError {
        func list(_ text: (Demand) -> String) -> String { overs.map(text).joined(separator: ", ") }
        func requested(_ demand: Demand) -> String {
            if demand.resource == .instances { return wish.least == wish.most ? String(wish.most) : "\(wish.least)-\(wish.most)" }
            let (amount, isOver) = demand.each.multipliedReportingOverflow(by: wish.most)
            return String(isOver ? .max : amount)
        }
        return CloudError(
            .quotaExceeded,
            """
            Quota exceeded for \(list(\.resource.rawValue)): Requested \(list(requested)), but already used \(list { String($0.used) }) of \
            \(list { String($0.limit) }) \(list(\.resource.rawValue))
            """)
    }
}
