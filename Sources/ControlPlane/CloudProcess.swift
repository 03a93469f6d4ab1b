import Blobs
package import CloudCore
import Foundation
package import HTTPKit
import Images
package import Logging
package import SQL
import ServiceLifecycle
import Telemetry
import UnixSignals

/// The cloud as a running process: its state directory, its port, its signals.
///
///     lock, database, migrations, accounts, client files --> run: serve --(SIGTERM, SIGINT, stop)--> drain, close --> end
package struct CloudProcess: Sendable {
    /// The URL under which clients reach the cloud.
    package let url: String
    package let directory: StateDirectory
    private let database: Database
    /// The holds of the server's event loops.
    package let holds: LoopHolds
    private let group: ServiceGroup
    private let lock: StateLock

    /// Does everything that comes before serving.
    ///
    /// - Parameters:
    ///   - isAlone: whether the process has no other cloud. Then it handles signals, and takes the figures and spans of
    ///     libraries.
    ///   - whenReady: called once requests are served, with the cloud's URL.
    /// - Throws: `StartError` and other errors that say in a sentence why the cloud cannot start.
    package static func start(
        _ configuration: Configuration, directory: StateDirectory, world: World, log: Logger, isAlone: Bool = true,
        whenReady: @escaping @Sendable (_ url: String) async -> Void
    ) async throws -> CloudProcess {
        MemoryKeeper.prepare()
        if isAlone { OpenFiles.raise() }
        try directory.create()
        let lock = try StateLock(directory)
        guard let address = ListenAddress(configuration.server.listen) else {
            throw StartError("server.listen \(ListenAddress.problem(configuration.server.listen) ?? "").")
        }
        let reservation = try PortReservation(address)
        let masterKey = try directory.masterKey(file: configuration.state.keyFile, random: world.random)
        let hosts = HostsPlan(configuration, folder: directory.host)
        // If this process is root, each guest runs as its own user, who must reach the guest's disks. Otherwise guests
        // run as this user.
        if case .thisMachine = hosts, geteuid() == 0 { try directory.letGuestsThrough(isSQLite: configuration.database.connection == nil) }
        let database = try openDatabase(configuration, directory)
        do {
            var instruments = Instruments()
            addFigures(to: instruments.metrics, directory, isSQLite: configuration.database.connection == nil)
            instruments.accessLog = configuration.log.access ? AccessLog(path: directory.accessLog) : nil
            instruments.spans = configuration.log.spans.map { SpanFile(LineFile(path: $0), world: world) }
            if isAlone { instruments.bootstrap() }
            let cloud = try Cloud(
                configuration: configuration, database: database, world: world, masterKey: masterKey,
                imageStores: try await ImageStores.opened(configuration.images, below: directory.images, world: world),
                chunks: try await FolderChunkStore.opened(
                    configuration.volumes, usual: directory.volumeBackups, world: world),
                hosts: hosts, instruments: instruments, log: log)
            for step in try await database.migrate(Cloud.schemas) { log.info("the schema was changed", metadata: ["step": "\(step)"]) }
            try await cloud.prepareToServe()
            let url = configuration.server.publicURL
                ?? address.url(port: reservation.port, isTLS: configuration.server.tlsCertificate != nil)
            try await publish(cloud, configuration, directory, url, world, log)
            if address.isWildcard, configuration.server.publicURL == nil {
                log.warning("other machines find only \(url) in the catalogue: set server.public_url")
            }
            let server = HTTPServer(
                settings: settings(configuration.server, address, reservation.port), responder: cloud.responder,
                refusals: cloud.refusals, log: log
            ) { [reservation] _, _ in
                reservation.release()
                await whenReady(url)
            }
            let files = [instruments.accessLog?.file, instruments.spans?.file].compactMap(\.self)
            let keepers: [any Service] = [LineFileKeeper(files: files), MemoryKeeper(database: database)]
            let services = keepers + cloud.backgroundServices + [server]
            let group = group(services, configuration.server.drainTimeout, handlesSignals: isAlone, log)
            return CloudProcess(
                url: url, directory: directory, database: database, holds: instruments.holds, group: group, lock: lock)
        } catch {
            await database.close()
            throw error
        }
    }

    /// Serves until it is told to stop and the current requests have ended, or the drain timeout has passed.
    package func run() async throws {
        defer { withExtendedLifetime(lock) {} }
        let ended: Result<Void, any Error>
        do { ended = .success(try await group.run()) } catch { ended = .failure(error) }
        // The database is not a service of the group. At the end of the drain timeout the whole group is cancelled at
        // once, and a service that ends slowly would write to a closed database.
        await database.close()
        do {
            try ended.get()
        } catch is CancellationError {
            // A cancellation at the end of the drain timeout is not a failure of the process.
        }
    }

    /// Begins a graceful shutdown, as a signal does.
    package func stop() async { await group.triggerGracefulShutdown() }

    // MARK: Parts of the start

    /// Opens the database that the configuration names.
    package static func openDatabase(_ configuration: Configuration, _ directory: StateDirectory) throws -> Database {
        do {
            guard let connection = configuration.database.connection else {
                return try .sqlite(path: directory.database, readers: min(4, configuration.database.maxPoolSize))
            }
            return try .postgreSQL(connection.reveal(), connections: configuration.database.maxPoolSize)
        } catch {
            throw StartError("The database cannot be opened: \(error)".replacing("\n", with: " "))
        }
    }

    private static func publish(
        _ cloud: Cloud, _ configuration: Configuration, _ directory: StateDirectory, _ url: String, _ world: World, _ log: Logger
    ) async throws {
        let files = ClientFiles(directory: directory, url: url, region: configuration.cloud.regionName)
        let isKnown = try await files.publish(random: world.random) { admin, demo in
            try await cloud.bootstrap(adminPassword: admin, demoPassword: demo, publicURL: url)
        }
        if !isKnown {
            log.notice("clouds.yaml has no password: the accounts were made by another process, or before this file")
        }
    }

    private static func settings(_ server: Configuration.Server, _ address: ListenAddress, _ port: Int) -> HTTPServer.Settings {
        var settings = HTTPServer.Settings(host: address.host, port: port)
        settings.certificate = server.tlsCertificate
        settings.privateKey = server.tlsKey
        settings.headerLimit = server.maxHeaderSize
        settings.connectionLimit = server.maxConnections
        return settings
    }

    private static func group(
        _ services: [any Service], _ drain: Duration, handlesSignals: Bool, _ log: Logger
    ) -> ServiceGroup {
        // The group logs the start and the end of every service; operators need to see only errors.
        var quiet = log
        quiet.logLevel = max(log.logLevel, .error)
        var configuration = ServiceGroupConfiguration(
            services: services.map {
                .init(service: $0, successTerminationBehavior: .gracefullyShutdownGroup, failureTerminationBehavior: .gracefullyShutdownGroup)
            },
            gracefulShutdownSignals: handlesSignals ? [.sigterm, .sigint] : [], logger: quiet)
        configuration.maximumGracefulShutdownDuration = drain
        return ServiceGroup(configuration: configuration)
    }

    private static func addFigures(to metrics: PrometheusMetrics, _ directory: StateDirectory, isSQLite: Bool) {
        let started = ContinuousClock.now
        metrics.gauge("process_resident_memory_bytes", help: "Memory in use.") { ProcessFigures.residentBytes }
        metrics.gauge("process_open_fds", help: "Open file descriptors.") { ProcessFigures.openDescriptors }
        metrics.gauge("novella_uptime_seconds", help: "Time since the start.") { (ContinuousClock.now - started).inSeconds }
        let steps = Double(Cloud.schemas.reduce(0) { $0 + $1.migrations.count })
        metrics.gauge("novella_schema_steps", help: "Steps of all schemas, every one applied.") { steps }
        if isSQLite {
            metrics.gauge("novella_database_bytes", help: "Size of the database's file.") { ProcessFigures.size(of: directory.database) }
            metrics.gauge("novella_database_log_bytes", help: "Size of the database's write-ahead log.") {
                ProcessFigures.size(of: directory.database + "-wal")
            }
        }
    }
}
