package import Access
package import CloudCore
package import HTTPKit
import Resources
package import SQL
package import ServiceKit

/// Networking, wired: takes what it depends on, hands out its routes and its schema.
package struct NetworkingAssembly: ServiceAssembly {
    let networking: NetworkingContext

    /// - Parameters:
    ///   - policyOverrides: rules of the operator's policy file, by name.
    ///   - onChange: called after each commit that may make hosts' networks other than they are.
    /// - Throws: `PolicyError` for an override that is no rule.
    package init(
        database: Database, world: World, hosts: any NetworkingHosts = NoNetworkHosts(), policyOverrides: [String: String],
        onChange: @escaping @Sendable () -> Void = {}
    ) throws {
        let policy = try Policy(defaults: NetworkingPolicy.defaults, overrides: policyOverrides)
        networking = NetworkingContext(
            base: ServiceContext(database: database, policy: policy, world: world, topic: Topic("networking"), prefix: "network"),
            hosts: hosts, onChange: onChange)
    }

    package static let schema = Schema.networking
    package static let catalogEntry = CatalogEntry(type: "network", name: "neutron", path: "/network")
    package static let policyRules = NetworkingPolicy.defaults

    package var service: APIService {
        let addressGroups = AddressGroupService(networking: networking)
        let routers = RouterService(networking: networking)
        return APIService(
            name: "network", prefixes: ["/network"], envelope: NetworkingEnvelope(), bodyLimit: 1 << 20,
            routes: RootRoutes(world: networking.world).all
                + NounRoutes(NetworkService(networking: networking)).all
                + NounRoutes(SubnetService(networking: networking)).all
                + NounRoutes(PortService(networking: networking)).all
                + NounRoutes(SecurityGroupService(networking: networking)).all
                + NounRoutes(SecurityGroupRuleService(networking: networking)).all
                + NounRoutes(DefaultSecurityGroupRuleService(networking: networking)).unchangeable
                + NounRoutes(addressGroups).all + AddressGroupRoutes(groups: addressGroups).all
                + NounRoutes(routers).all + RouterRoutes(routers: routers).all
                + NounRoutes(FloatingIPService(networking: networking)).all
                + NounRoutes(SubnetPoolService(networking: networking)).all
                + NounRoutes(AddressScopeService(networking: networking)).all
                + NounRoutes(RBACPolicyService(networking: networking)).all
                + QuotaRoutes(quotas: QuotaService(networking: networking)).all
                + OperatorRoutes(operators: OperatorService(networking: networking)).all
                + AgentRoutes(agents: AgentService(networking: networking)).all)
    }
}
