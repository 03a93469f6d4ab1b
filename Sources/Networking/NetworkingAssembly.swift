package import Access
package import CloudCore
package import HTTPKit
import Resources
package import SQL
package import ServiceKit

/// Networking, assembled: it takes its dependencies and provides its routes and its schema.
package struct NetworkingAssembly: ServiceAssembly {
    let networking: NetworkingContext

    /// Creates Networking.
    ///
    /// - Parameters:
    ///   - policyOverrides: rules of the operator's policy file, by name.
    ///   - onChange: called after each commit that may change what hosts' networks should be.
    /// - Throws: `PolicyError` for an override that is not a valid rule.
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
    package static let ledger: Ledger? = .networking
    package static let catalogEntry = CatalogEntry(type: "network", name: "neutron", path: "/network")
    package static let policyRules = NetworkingPolicy.defaults

    package var service: APIService {
        let addressGroups = AddressGroupService(networking: networking)
        let routers = RouterService(networking: networking)
        return APIService(
            name: "network", prefixes: ["/network"], envelope: NetworkingEnvelope(),
            routes: RootRoutes(world: networking.world).all
                + Self.noun(NetworkService(networking: networking))
                + Self.noun(SubnetService(networking: networking))
                + Self.noun(PortService(networking: networking))
                + Self.noun(SecurityGroupService(networking: networking))
                + Self.noun(SecurityGroupRuleService(networking: networking))
                + ResourceRoutes(DefaultSecurityGroupRuleService(networking: networking)).unchangeable
                + Self.noun(addressGroups) + AddressGroupRoutes(groups: addressGroups).all
                + Self.noun(routers) + RouterRoutes(routers: routers).all
                + Self.noun(FloatingIPService(networking: networking))
                + Self.noun(SubnetPoolService(networking: networking))
                + Self.noun(AddressScopeService(networking: networking))
                + Self.noun(RBACPolicyService(networking: networking))
                + QuotaRoutes(quotas: QuotaService(networking: networking)).all
                + OperatorRoutes(operators: OperatorService(networking: networking)).all
                + AgentRoutes(agents: AgentService(networking: networking)).all)
    }

    /// Returns the routes of a noun and of its tags.
    private static func noun<S: NetworkingService>(_ service: S) -> [Route] {
        ResourceRoutes(service).all + (S.R.hasTags ? TagRoutes(service: service).all : [])
    }
}
