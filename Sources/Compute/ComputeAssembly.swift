package import Access
package import CloudCore
package import Durable
package import HTTPKit
import HTTPTypes
package import SQL
package import ServiceKit

/// Compute, wired: takes what it depends on, hands out its routes and its schema.
package struct ComputeAssembly: ServiceAssembly {
    let context: ComputeContext
    let workflows: Workflows

    /// - Parameters:
    ///   - policyOverrides: rules of the operator's policy file, by name.
    ///   - workflows: made of a list that has `ComputeAssembly.workflows` in it.
    /// - Throws: `PolicyError` for an override that is no rule.
    package init(
        database: Database, world: World, sleeper: any Sleeper, policyOverrides: [String: String], needs: ComputeNeeds,
        workflows: Workflows, settings: ComputeSettings = ComputeSettings()
    ) throws {
        self.workflows = workflows
        let policy = try Policy(defaults: ComputePolicy.defaults, overrides: policyOverrides)
        context = ComputeContext(
            database: database, policy: policy, world: world, sleeper: sleeper, needs: needs, settings: settings)
    }

    package static let schema = Schema.compute
    package static let catalogEntry = CatalogEntry(type: "compute", name: "nova", path: "/compute/v2.1")
    package static let policyRules = ComputePolicy.defaults

    /// All of its workflows.
    package static let workflows: [any Workflow.Type] = ServerWork.types

    /// The code of its workflows.
    package var definitions: [WorkflowDefinition] {
        ServerWork.definitions(ServerWorld(needs: context.needs, world: context.world))
    }

    /// The routes of each file, in the order of their URLs. `README.md` has a table of them.
    var routeGroups: [any RouteGroup] {
        let endpoint = Endpoint(policy: context.policy)
        let (hosts, flavors) = (HostService(context: context), FlavorService(context: context))
        let quotas = QuotaService(context: context)
        let servers = ServerService(context: context, workflows: workflows, hosts: hosts)
        let (actions, others) = (ServerActionService(service: servers), context.needs.others)
        return [
            VersionRoutes(), ExtensionRoutes(endpoint: endpoint),
            FlavorRoutes(endpoint: endpoint, flavors: flavors), ExtraSpecRoutes(endpoint: endpoint, flavors: flavors),
            ImageViewRoutes(endpoint: endpoint, others: others, quotas: quotas),
            QuotaRoutes(endpoint: endpoint, quotas: quotas),
            AggregateRoutes(endpoint: endpoint, aggregates: AggregateService(context: context, hosts: hosts)),
            FloatingIPRoutes(endpoint: endpoint, others: others), HostRoutes(endpoint: endpoint, hosts: hosts),
            HypervisorRoutes(endpoint: endpoint, hosts: hosts), AuditRoutes(endpoint: endpoint, hosts: hosts),
            KeyPairRoutes(endpoint: endpoint, pairs: KeyPairService(context: context)),
            MigrationRoutes(endpoint: endpoint, migrations: MigrationService(context: context)),
            NetworkViewRoutes(endpoint: endpoint, others: others),
            SecurityGroupRoutes(endpoint: endpoint, servers: servers),
            ExternalEventRoutes(endpoint: endpoint, servers: servers),
            ServerGroupRoutes(endpoint: endpoint, groups: ServerGroupService(context: context)),
            ServiceRoutes(endpoint: endpoint, hosts: hosts),
            UsageRoutes(endpoint: endpoint, usages: UsageService(context: context)),
            ServerRoutes(endpoint: endpoint, servers: servers), ServerActionRoutes(endpoint: endpoint, actions: actions),
            ServerNetworkRoutes(endpoint: endpoint, servers: servers, actions: actions),
            ServerPartRoutes(endpoint: endpoint, servers: servers),
            ServerMigrationRoutes(endpoint: endpoint, actions: actions),
            InstanceActionRoutes(endpoint: endpoint, actions: InstanceActionService(servers: servers)),
            VolumeAttachmentRoutes(endpoint: endpoint, servers: servers),
        ]
    }

    private static let prefix = "/v2.1"

    package var service: APIService {
        let routes = routeGroups.flatMap(\.all)
        return APIService(
            name: "compute", prefixes: ["/compute"], envelope: ComputeEnvelope(),
            microversions: MicroversionRange(
                serviceType: "compute", VersionRoutes.range, olderHeader: HTTPField.Name("X-OpenStack-Nova-API-Version"),
                complaints: .init(
                    malformed: { "API Version String \($0) is of invalid format. Must be of format MajorNum.MinorNum." },
                    outside: { "Version \($0) is not supported by the API. Minimum is \($1.minimum) and maximum is \($1.maximum)." })),
            // As much as the reference takes. Hints and user data are kept with the server, and told again with every list.
            bodyLimit: 114_688, ignoresTrailingSlash: false,
            routes: routes + Route.belowProject(routes, prefix: Self.prefix))
    }
}
