package import Blobs
package import BlockStorage
package import CloudCore
package import Compute
package import Crypto
import Drivers
package import Durable
package import HTTPKit
import HostModel
package import Identity
package import Images
package import Logging
package import Networking
package import Placement
package import SQL
package import ServiceKit
package import ServiceLifecycle

/// The composition root: it creates all services over one database, connects them, and has the responder that answers
/// for them.
///
/// It opens no files and no ports, so a test gets the whole cloud by creating one.
package struct Cloud: Sendable {
    package let database: Database
    package let responder: Responder
    package let identity: IdentityAssembly
    package let placement: PlacementAssembly
    package let images: ImagesAssembly
    package let networking: NetworkingAssembly
    package let compute: ComputeAssembly
    package let blockStorage: BlockStorageAssembly
    /// The same services as a list, in the order of `services`.
    package let assemblies: [any ServiceAssembly]
    /// The API of the operator's tools.
    package let operatorTools: APIService
    package let workflows: Workflows
    /// The runner that carries out workflows. Tests run workflows themselves, one after the other.
    package let runner: Runner
    /// The hosts on which machines run.
    package let fleet: Fleet
    private let watch: FleetWatch
    private let history: ReconcilerLoop
    private let hostNetworks: ReconcilerLoop
    private let indexes: ReconcilerLoop
    /// The keeper that makes hosts' networks as the rows say. Tests start its passes themselves.
    package let networkKeeper: NetworkKeeper
    private let metadataServer: MetadataServer
    private let configuration: Configuration

    /// Creates the services and connects them.
    ///
    /// - Parameters:
    ///   - sleeper: the sleeper of the background work; nil for the world's clock.
    ///   - chunks: the store of the backups of volumes.
    ///   - hosts: the hosts on which machines run.
    ///   - faults: faults that disturb workflows, for tests.
    ///   - cheapHashes: whether password hashes cost next to nothing, for tests.
    /// - Throws: `StartError`, and the errors of a service that rejects its rules or settings.
    package init(
        configuration: Configuration, database: Database, world: World, masterKey: SymmetricKey, imageStores: ImageStores,
        chunks: any ChunkStore, hosts: HostsPlan, sleeper: (any Sleeper)? = nil,
        instruments: Instruments = Instruments(), cheapHashes: Bool = false, faults: FaultPlan = .none, log: Logger
    ) throws {
        self.configuration = configuration
        self.database = database
        let rules = try PolicyOverrides(PolicyFile.read(configuration.policy.file), for: Self.services, and: OperatorPolicy.defaults)
        identity = try IdentityAssembly(
            database: database, world: world, settings: IdentitySettings(configuration), masterKey: masterKey,
            policyOverrides: rules[IdentityAssembly.self], cheapHashes: cheapHashes, log: log)
        placement = try PlacementAssembly(database: database, world: world, policyOverrides: rules[PlacementAssembly.self])
        let sleeper = sleeper ?? ClockSleeper(clock: world.clock)
        workflows = try Workflows(Self.workflowTypes, world: world, spans: instruments.spans)
        images = try ImagesAssembly(
            database: database, world: world, stores: imageStores, limits: UnifiedImageLimits(region: configuration.cloud.regionName),
            regions: RegionsForImages(identity: identity), workflows: workflows, fetchRules: try FetchRules(configuration.webDownload),
            sleeper: sleeper, policyOverrides: rules[ImagesAssembly.self], log: log)
        let backups = BackupReader(database: database, chunks: chunks)
        let sources = HostSources(images: ImageSource(imageStores), backups: BackupSource(backups))
        let fleet = try Fleet(hosts, sources: sources, world: world, log: log)
        self.fleet = fleet
        let known = KnownHosts(fleet: fleet, world: world)
        let doors = MetadataDoors()
        let bell = Nudge()
        networking = try NetworkingAssembly(
            database: database, world: world, hosts: known, policyOverrides: rules[NetworkingAssembly.self]
        ) { bell.nudge() }
        networkKeeper = NetworkKeeper(
            database: database, networking: networking,
            networks: FleetNetworks(fleet: fleet, doors: doors, known: known), world: world, log: log)
        let guests = GuestMetadata(database: database, networking: networking)
        metadataServer = MetadataServer(doors: doors, source: guests, world: world, log: log)
        hostNetworks = ReconcilerLoop(networkKeeper, world: world, sleeper: sleeper, bell: bell, log: log)
        let storage = BlockStorageNeeds(
            hosts: HostsForBlockStorage(fleet: fleet, world: world),
            images: ImagesForBlockStorage(images: images, fleet: fleet),
            identity: IdentityForBlockStorage(identity: identity), logs: LogsForBlockStorage(dial: .process),
            servers: ServersForBlockStorage(workflows: workflows), chunks: chunks)
        blockStorage = try BlockStorageAssembly(
            database: database, world: world, sleeper: sleeper, policyOverrides: rules[BlockStorageAssembly.self],
            needs: storage, wiring: .init(workflows: workflows, log: log))
        // It has no access log and no figures of its own, since those of the call to Compute already count the request.
        let others = try Responder(
            services: [images.service, networking.service, blockStorage.service], verifier: identity.verifier,
            world: world, log: log)
        let placementForCompute = PlacementForCompute(placement: placement, fleet: fleet)
        var needs = ComputeNeeds(
            identity: IdentityForCompute(identity: identity), hosts: HostsForCompute(fleet: fleet, world: world),
            machines: MachinesForCompute(fleet: fleet), placement: placementForCompute,
            images: ImagesForCompute(images: images, fleet: fleet),
            networking: NetworkingForCompute(networking: networking, keeper: networkKeeper),
            volumes: VolumesForCompute(storage: blockStorage, fleet: fleet),
            others: OtherAPIsForCompute(responder: others))
        needs.configDrives = ConfigDrives(world: world) { try await guests.metadata(of: $0) }
        compute = try ComputeAssembly(
            database: database, world: world, sleeper: sleeper, policyOverrides: rules[ComputeAssembly.self], needs: needs,
            workflows: workflows, settings: ComputeSettings(configuration))
        assemblies = [identity, placement, images, networking, compute, blockStorage]
        watch = FleetWatch(
            fleet: fleet, placement: placementForCompute, compute: compute, database: database, world: world,
            sleeper: sleeper, log: log)
        var settings = RunnerSettings()
        settings.isAlone = database.dialect == .sqlite
        runner = try Runner(
            name: world.random.uuid(), database: database, workflows: workflows, definitions: assemblies.flatMap(\.definitions),
            sleeper: sleeper, settings: settings, faults: faults, log: log)
        let follower = IndexFollower(placement: placement, compute: compute)
        indexes = ReconcilerLoop(follower, world: world, sleeper: sleeper, log: log)
        history = ReconcilerLoop(HistoryReconciler(database: database, world: world), world: world, sleeper: sleeper, log: log)
        let services = assemblies.map { $0.service.limited(to: configuration.server.maxRequestBodySize) }
        WorkflowFigures(database: database, workflows: workflows, world: world).add(to: instruments.metrics)
        let tools = try OperatorService(database: database, workflows: workflows, identity: identity, rules: rules[OperatorPolicy.defaults], log: log)
        operatorTools = tools.service
        responder = try Responder(
            services: services + [operatorTools]
                + Health(database: database, images: imageStores, metrics: instruments.metrics).services,
            verifier: identity.verifier,
            world: world, publicURL: configuration.server.publicURL,
            cors: Responder.CORS(allowedOrigins: configuration.server.allowedOrigins), instruments: instruments,
            requestTime: configuration.server.requestTimeout, log: log)
    }

    /// The envelope of answers to bytes that are not an HTTP request.
    package var refusals: any ErrorEnvelope { identity.service.envelope }

    /// A service group ends its services in reverse order. The fleet ends last, because workflows use it until they
    /// end. The runner ends after every service that may still start a workflow.
    package var backgroundServices: [any Service] {
        [fleet, metadataServer, watch, runner, history, hostNetworks, indexes]
            + assemblies.flatMap(\.backgroundServices)
    }

    /// The most hosts whose reports a start waits for: a small cloud is whole when it is ready, and a large one has
    /// enough hosts for its first servers.
    private static let firstHosts = 200

    /// Does the same as `prepare` for a cloud whose background services are about to run. Most hosts of a large cloud
    /// report while requests are served already.
    package func prepareToServe() async throws {
        await fleet.beginKeeping(asking: Self.firstHosts)
        try await prepare()
    }

    /// Loads the data that must be in memory before the first request, and records what hosts have reported. The schema
    /// must be up to date.
    package func prepare() async throws {
        for assembly in assemblies { try await assembly.prepare() }
        try await fleet.era.load(database)
        try await watch.take()
    }

    /// Records what hosts have reported. The watch does this all the time; a test calls it when it needs to.
    package func look() async throws { try await watch.take() }

    /// Creates the first accounts and the catalog if they do not exist, and sets the catalog to `publicURL`.
    ///
    /// - Returns: whether this call created the accounts, with these passwords.
    package func bootstrap(adminPassword: String, demoPassword: String, publicURL: String) async throws -> Bool {
        try await identity.bootstrap(
            IdentityAssembly.Bootstrap(
                adminPassword: adminPassword, demoPassword: demoPassword, publicURL: publicURL,
                region: configuration.cloud.regionName,
                catalog: Self.services.flatMap { $0.catalogEntries }))
    }
}

extension APIService {
    /// Returns the same service with another limit of request bodies.
    ///
    /// - Parameter bodyLimit: the limit in bytes; nil for the service's own.
    fileprivate func limited(to bodyLimit: Int?) -> APIService {
        var limited = self
        limited.bodyLimit = bodyLimit ?? self.bodyLimit
        return limited
    }
}
