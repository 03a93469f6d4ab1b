package import Access
package import CloudCore
package import Durable
package import HTTPKit
package import Logging
import Resources
package import SQL
package import ServiceKit
package import ServiceLifecycle

/// Block Storage with its dependencies. It makes the routes and has the schema.
package struct BlockStorageAssembly: ServiceAssembly {
    let context: BlockStorageContext
    private let cleaner: ReconcilerLoop
    private let keeper: ReconcilerLoop
    private let scrubber: ReconcilerLoop

    /// Makes the service.
    ///
    /// - Parameters:
    ///   - policyOverrides: the rules of the operator's policy file, by name.
    ///   - wiring: the engine of workflows and the log.
    /// - Throws: `PolicyError` if an override is not a rule.
    package init(
        database: Database, world: World, sleeper: any Sleeper, policyOverrides: [String: String],
        needs: BlockStorageNeeds, wiring: Wiring
    ) throws {
        let policy = try Policy(defaults: BlockStoragePolicy.defaults, overrides: policyOverrides)
        let base = ServiceContext(
            database: database, policy: policy, world: world, topic: Topic("volumes"), prefix: "volume")
        context = BlockStorageContext(base: base, needs: needs, workflows: wiring.workflows, sleeper: sleeper)
        cleaner = ReconcilerLoop(OldMessages(context: context), world: world, sleeper: sleeper, log: wiring.log)
        scrubber = ReconcilerLoop(BackupScrubber(context: context), world: world, sleeper: sleeper, log: wiring.log)
        keeper = ReconcilerLoop(BackupKeeper(context: context), world: world, sleeper: sleeper, log: wiring.log)
    }

    /// The engine of workflows, made of a list that includes `BlockStorageAssembly.workflows`, and the log.
    package struct Wiring: Sendable {
        let workflows: Workflows
        let log: Logger

        package init(workflows: Workflows, log: Logger) {
            self.workflows = workflows
            self.log = log
        }
    }

    /// Makes the first volume type.
    package func prepare() async throws { try await VolumeTypeService(context: context).makeUsual() }

    package static let schema = Schema.blockStorage
    package static let ledger: Ledger? = .blockStorage
    package static let catalogEntry = CatalogEntry(type: "block-storage", name: "cinder", path: "/volume/v3")
    /// The older name of the same API. Clients that do not know the present one look for it.
    package static let otherCatalogEntries = [CatalogEntry(type: "volumev3", name: "cinderv3", path: "/volume/v3")]
    package static let policyRules = BlockStoragePolicy.defaults

    /// All workflows of Block Storage.
    package static let workflows: [any Workflow.Type] = VolumeWork.types

    /// The code of Block Storage's workflows.
    package var definitions: [WorkflowDefinition] { VolumeWork.definitions(VolumeWorld(context: context)) }

    /// The background work of the service.
    package var backgroundServices: [any Service] { [cleaner, keeper, scrubber] }

    private static let prefix = "/v3"

    /// The routes of each file, in the order of their URLs. `README.md` has a table of them.
    var routeGroups: [any RouteGroup] {
        let maker = RouteMaker<VolumeCall>(policy: context.policy, prefix: Self.prefix)
        let volumes = VolumeService(context: context)
        let snapshots = SnapshotService(volumes: volumes)
        let groups = GroupService(volumes: volumes)
        let groupSnapshots = GroupSnapshotService(snapshots: snapshots)
        let hosts = StorageHostService(context: context)
        return [
            VersionRoutes(), VolumeRoutes(maker: maker, service: volumes),
            VolumeActionRoutes(maker: maker, volumes: volumes),
            AttachmentRoutes(maker: maker, service: AttachmentService(volumes: volumes)),
            MetadataRoutes(maker: maker, volumes: volumes, snapshots: snapshots),
            SnapshotRoutes(maker: maker, service: snapshots),
            GroupTypeRoutes(maker: maker, types: GroupTypeService(context: context)),
            GroupRoutes(maker: maker, service: groups), GroupSnapshotRoutes(maker: maker, service: groupSnapshots),
            ConsistencyGroupRoutes(maker: maker, groups: groups, snapshots: groupSnapshots),
            TransferRoutes(maker: maker, service: TransferService(volumes: volumes)),
            TypeRoutes(maker: maker, types: VolumeTypeService(context: context)),
            TypeSpecRoutes(maker: maker, service: TypeSpecService(context: context)),
            QoSRoutes(maker: maker, service: QoSService(context: context)),
            QuotaRoutes(maker: maker, quotas: QuotaService(context: context)),
            ServiceRoutes(maker: maker, hosts: hosts), HostRoutes(maker: maker, hosts: hosts),
            PoolRoutes(maker: maker, hosts: hosts), ClusterRoutes(maker: maker, hosts: hosts),
            LogRoutes(maker: maker, hosts: hosts),
            ManagingRoutes(maker: maker, service: ManagingService(snapshots: snapshots)),
            BackupRoutes(maker: maker, service: BackupService(volumes: volumes)),
            MessageRoutes(maker: maker, messages: MessageService(context: context)),
        ]
    }

    package var service: APIService {
        let routes = routeGroups.flatMap(\.all)
        return APIService(
            name: "block-storage", prefixes: ["/volume"], envelope: FaultEnvelope(overLimit: [413], showsRetry: true),
            microversions: MicroversionRange(serviceType: "volume", VersionRoutes.range, complaints: .faults),
            bodyLimit: Limits.request.shortBody.most, routes: routes + Route.belowProject(routes, prefix: Self.prefix)
        ).refusing(trailingSlash: true)
    }
}
