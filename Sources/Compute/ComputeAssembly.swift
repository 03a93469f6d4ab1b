package import Access
package import CloudCore
package import Durable
package import HTTPKit
import HTTPTypes
package import SQL
package import ServiceKit

/// Compute with its dependencies. It makes the routes and has the schema.
package struct ComputeAssembly: ServiceAssembly {
    let context: ComputeContext
    let workflows: Workflows

    /// Makes the service.
    ///
    /// - Parameters:
    ///   - policyOverrides: the rules of the operator's policy file, by name.
    ///   - workflows: the workflows, made of a list that includes `ComputeAssembly.workflows`.
    /// - Throws: `PolicyError` if an override is not a rule.
    package init(
        database: Database, world: World, sleeper: any Sleeper, policyOverrides: [String: String], needs: ComputeNeeds,
        workflows: Workflows, settings: ComputeSettings = ComputeSettings()
    ) throws {
        self.workflows = workflows
        let policy = try Policy(defaults: ComputePolicy.defaults, overrides: policyOverrides)
        context = ComputeContext(
            database: database, policy: policy, world: world, sleeper: sleeper, needs: needs,
            hosts: HostKeeper(database: database, hosts: needs.hosts), settings: settings)
    }

    /// Brings the index of hosts up to date. It runs after the migrations and before the first request, and then from
    /// time to time: an index that is many commits behind would be read from nothing.
    package func prepare() async throws { _ = try await context.hosts.latest() }

    package static let schema = Schema.compute
    package static let ledger: Ledger? = .compute
    package static let catalogEntry = CatalogEntry(type: "compute", name: "nova", path: "/compute/v2.1")
    package static let policyRules = ComputePolicy.defaults

    /// All workflows of Compute.
    package static let workflows: [any Workflow.Type] = ServerWork.types

    /// The code of Compute's workflows.
    package var definitions: [WorkflowDefinition] {
        ServerWork.definitions(ServerWorld(placing: context.placing, world: context.world))
    }

    /// The routes of each file, in the order of their URLs. `README.md` has a table of them.
    var routeGroups: [any RouteGroup] {
        let maker = RouteMaker<ComputeCall>(policy: context.policy, prefix: Self.prefix)
        let (hosts, flavors) = (HostService(context: context), FlavorService(context: context))
        let quotas = QuotaService(context: context)
        let servers = ServerService(context: context, workflows: workflows, hosts: hosts)
        let (actions, others) = (ServerActionService(service: servers), context.needs.others)
        return [
            VersionRoutes(), ExtensionRoutes(maker: maker),
            FlavorRoutes(maker: maker, flavors: flavors), ExtraSpecRoutes(maker: maker, flavors: flavors),
            ImageViewRoutes(maker: maker, others: others, quotas: quotas),
            QuotaRoutes(maker: maker, quotas: quotas),
            AggregateRoutes(maker: maker, aggregates: AggregateService(context: context, hosts: hosts)),
            FloatingIPRoutes(maker: maker, others: others), HostRoutes(maker: maker, hosts: hosts),
            HypervisorRoutes(maker: maker, hosts: hosts), AuditRoutes(maker: maker, hosts: hosts),
            KeyPairRoutes(maker: maker, pairs: KeyPairService(context: context)),
            MigrationRoutes(maker: maker, migrations: MigrationService(context: context)),
            NetworkViewRoutes(maker: maker, others: others), SnapshotViewRoutes(maker: maker, others: others),
            VolumeViewRoutes(maker: maker, others: others),
            SecurityGroupRoutes(maker: maker, servers: servers),
            ExternalEventRoutes(maker: maker, servers: servers),
            ServerGroupRoutes(maker: maker, groups: ServerGroupService(context: context)),
            ServiceRoutes(maker: maker, hosts: hosts),
            UsageRoutes(maker: maker, usages: UsageService(context: context)),
            ServerRoutes(maker: maker, servers: servers), ServerActionRoutes(maker: maker, actions: actions),
            ServerNetworkRoutes(maker: maker, servers: servers, actions: actions),
            ServerPartRoutes(maker: maker, servers: servers),
            ServerMigrationRoutes(maker: maker, actions: actions),
            InstanceActionRoutes(maker: maker, actions: InstanceActionService(servers: servers)),
            VolumeAttachmentRoutes(maker: maker, volumes: ServerVolumeService(servers: servers)),
        ]
    }

    private static let prefix = "/v2.1"

    package var service: APIService {
        let routes = routeGroups.flatMap(\.all)
        return APIService(
            name: "compute", prefixes: ["/compute"], envelope: FaultEnvelope(overLimit: [413, 429]),
            microversions: MicroversionRange(
                serviceType: "compute", VersionRoutes.range, olderHeader: HTTPField.Name("X-OpenStack-Nova-API-Version"),
                complaints: .faults),
            // The reference's limit in bytes. Hints and user data are stored with the server and sent with every list.
            bodyLimit: Limits.request.shortBody.most, routes: routes + Route.belowProject(routes, prefix: Self.prefix)
        ).refusing(trailingSlash: true)
    }
}
