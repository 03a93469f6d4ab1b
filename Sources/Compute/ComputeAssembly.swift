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
    package static let workflows: [any Workflow.Type] = ServerWorkflows.types

    /// The code of its workflows.
    package var definitions: [WorkflowDefinition] {
        ServerWorkflows.definitions(ServerWorld(needs: context.needs, world: context.world))
    }

    private static let prefix = "/v2.1"

    package var service: APIService {
        let endpoint = RouteMaker<ComputeCall>(policy: context.policy, prefix: Self.prefix)
        let hosts = HostService(context: context)
        let flavors = FlavorService(context: context)
        let servers = ServerService(context: context, workflows: workflows, hosts: hosts)
        let changes = ServerChanges(service: servers)
        let routes = VersionRoutes().all
            + ExtensionRoutes(endpoint: endpoint).all
            + FlavorRoutes(endpoint: endpoint, flavors: flavors).all
            + ExtraSpecRoutes(endpoint: endpoint, flavors: flavors).all
            + KeyPairRoutes(endpoint: endpoint, pairs: KeyPairService(context: context)).all
            + ServerGroupRoutes(endpoint: endpoint, groups: ServerGroupService(context: context)).all
            + AggregateRoutes(endpoint: endpoint, aggregates: AggregateService(context: context, hosts: hosts)).all
            + QuotaRoutes(endpoint: endpoint, quotas: QuotaService(context: context)).all
            + ServiceRoutes(endpoint: endpoint, hosts: hosts).all
            + HypervisorRoutes(endpoint: endpoint, hosts: hosts).all
            + HostRoutes(endpoint: endpoint, hosts: hosts).all
            + MigrationRoutes(endpoint: endpoint, migrations: MigrationService(context: context)).all
            + UsageRoutes(endpoint: endpoint, usages: UsageService(context: context)).all
            + ServerRoutes(endpoint: endpoint, servers: servers).all
            + ServerActionRoutes(endpoint: endpoint, servers: servers, changes: changes).all
            + ServerPartRoutes(endpoint: endpoint, servers: servers).all
            + ServerNetworkRoutes(endpoint: endpoint, servers: servers, changes: changes).all
            + VolumeAttachmentRoutes(endpoint: endpoint, servers: servers).all
            + ServerMigrationRoutes(endpoint: endpoint, changes: changes).all
            + InstanceActionRoutes(endpoint: endpoint, actions: InstanceActionService(servers: servers)).all
            + ExternalEventRoutes(endpoint: endpoint, servers: servers).all
            + AuditRoutes(endpoint: endpoint, hosts: hosts).all
            + older(endpoint, servers)
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

    /// What other services have long taken over.
    private func older(_ endpoint: RouteMaker<ComputeCall>, _ servers: ServerService) -> [Route] {
        SecurityGroupRoutes(endpoint: endpoint, servers: servers).all
            + FloatingIPRoutes(endpoint: endpoint, others: context.needs.others).all
            + NetworkViewRoutes(endpoint: endpoint, others: context.needs.others).all
            + ImageViewRoutes(endpoint: endpoint, others: context.needs.others, quotas: QuotaService(context: context)).all
    }
}
