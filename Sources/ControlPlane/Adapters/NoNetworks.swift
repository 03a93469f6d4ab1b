package import CloudCore
package import Compute
package import SQL

/// No networks: servers have no ports. Security groups are names that are remembered nowhere.
package struct NoNetworks: NetworkingNeed {
    package init() {}

    package func plan(_ wish: NetworkWish, for principal: Principal) async throws -> NetworkPlan {
        if let item = wish.items.first {
            throw CloudError.badRequest(
                item.port.map { "Port id \($0) could not be found." } ?? "Network \(item.network ?? "") could not be found.")
        }
        if let name = wish.securityGroups.first(where: { $0 != "default" }) {
            throw CloudError.badRequest("Security group \(name) not found for project \(principal.projectID?.text ?? "").")
        }
        return NetworkPlan(projectID: principal.projectID?.text ?? "", ports: [], securityGroups: [])
    }

    package func ensurePorts(_ plan: NetworkPlan, server: String, host: String, in tx: Transaction) throws -> [ServerPort] { [] }
    package func bind(server: String, to host: String, in tx: Transaction) throws {}
    package func awaitWiring(of server: String, on host: String) async throws {}
    package func releasePorts(of server: String, in tx: Transaction) throws {}
    package func releasePort(_ id: String, of server: String, in tx: Transaction) throws {}
    package func ports(of servers: [String], in tx: Transaction) throws -> [String: [ServerPort]] { [:] }
    package func securityGroups(of servers: [String], in tx: Transaction) throws -> [String: [SecurityGroupFacts]] { [:] }

    package func addSecurityGroup(_ name: String, to server: String, for principal: Principal) async throws {
        throw CloudError.notFound("Security group \(name) not found.")
    }

    package func removeSecurityGroup(_ name: String, from server: String, for principal: Principal) async throws {
        throw CloudError.notFound("Security group \(name) not found.")
    }
}
