import AgentCore
import CloudCore
import DriverFiles
package import DriverLibvirt
import DriverLinuxNetwork
import Drivers
import Foundation
package import HostModel
import Logging

/// The settings of this machine as a host.
package struct HostSettings: Sendable {
    /// The folder for the host's machines and their wanted state; a host needs no database.
    package var folder: String
    package var acceleration: LibvirtSettings.Acceleration = .automatic
    /// The URI of a libvirt daemon; nil for libvirt within this process.
    package var uri: String?
    /// The folder of the first pool of volumes.
    package var volumes: String
    /// The other pools: a name and a folder each.
    package var pools: [(name: String, folder: String)] = []
    package var poolBounds = VolumePool.Bounds()

    package init(folder: String) {
        self.folder = folder
        volumes = folder + "/volumes"
    }

    /// Takes what the configuration says of volumes.
    mutating func take(_ configuration: Configuration.Volumes) {
        if let folder = configuration.folder { volumes = folder }
        pools = configuration.pools.compactMap(Self.pool)
        poolBounds.overSubscription = Double(configuration.overSubscription) / 100
        poolBounds.softPercent = configuration.softLimit
        poolBounds.hardPercent = configuration.hardLimit
    }

    /// The name of the first pool.
    static let firstPool = "volumes"

    /// Reads `name:/path`; nil for any other text.
    private static func pool(_ text: String) -> (name: String, folder: String)? {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, PathPart.isPlain(parts[0]), parts[0] != firstPool, parts[1].hasPrefix("/") else {
            return nil
        }
        return (name: parts[0], folder: parts[1])
    }

    static let problemOfPool: @Sendable (String) -> String? = { text in
        guard pool(text) == nil else { return nil }
        return "has '\(text)' and must have a name of a-z, 0-9, '-' and '_' other than '\(firstPool)', and an "
            + "absolute path: name:/path"
    }
}

extension Fleet {
    /// Creates a fleet of this machine, with libvirt. `run` or `open` opens the host, because the test whether KVM
    /// works takes time.
    ///
    ///     host.json   its name, its id, and its last inventory
    ///     agent/      the wanted state of its machines
    ///     networks/   the memory of the network driver
    ///     volumes/    the pool of volumes, unless the configuration has another folder
    ///     volume-records/   the memory of the volume driver
    ///     machines/, images/, …   the driver's files
    convenience init(thisMachine settings: HostSettings, sources: HostSources, world: World, log: Logger) throws {
        let path = settings.folder + "/host.json"
        let known = try DurableFile.read(path).map { try StoredJSON.value(HostFacts.self, from: $0) }
        self.init(
            posts: [], known: known.map { [$0] } ?? [],
            late: { try await Self.open(settings, known, path, sources, world, log) }, world: world, log: log)
    }

    /// Stops the machines on this machine, removes its networks, and returns the number of machines.
    static func clear(_ settings: HostSettings, graceSeconds: Int, world: World, log: Logger) async throws -> Int {
        let path = settings.folder + "/host.json"
        let known = try DurableFile.read(path).map { try StoredJSON.value(HostFacts.self, from: $0) }
        // Nothing is started, so nothing is fetched.
        let images = ImageSource { content, _ in throw CloudError.notFound("image", content.text) }
        let nothing = HostSources(images: images, backups: .none)
        let post = try await open(settings, known, path, nothing, world, log)
        let result: Result<Int, any Error>
        do { result = .success(try await post.agent.clear(graceSeconds: graceSeconds).count) } catch { result = .failure(error) }
        await post.close()
        return try result.get()
    }

    private static func open(
        _ settings: HostSettings, _ known: HostFacts?, _ path: String, _ sources: HostSources, _ world: World,
        _ log: Logger
    ) async throws -> Post {
        var driverSettings = LibvirtSettings(folder: settings.folder)
        driverSettings.acceleration = settings.acceleration
        driverSettings.uri = settings.uri
        let driver = try await LibvirtDriver.open(driverSettings, images: sources.images, world: world)
        do {
            let networks = networks(settings.folder, log)
            let volumes = try volumes(settings, driver, sources.backups, world)
            let agent = try Agent(
                host: Fleet.lateHost, driver: driver, networks: networks, volumes: volumes,
                folder: settings.folder + "/agent", bootID: Agent.kernelBootID, world: world, log: log)
            guard case .inventory(let inventory) = try await agent.answer(.inventory) else {
                throw CloudError.internalError("an agent without an inventory")
            }
            let facts = HostFacts(
                name: known?.name ?? inventory.resources.hostName, id: known?.id ?? world.random.uuid(), bootedAt: bootedAt(world), seenAt: world.now, inventory: inventory)
            try DurableFile.write(StoredJSON.data(facts), to: path)
            say(facts, log)
            var post = Post(name: facts.name, id: facts.id, agent: agent, bootedAt: facts.bootedAt)
            post.metadata = networks as? any MetadataListening
            post.keepers = [{ try await driver.keep() }]
            post.close = {
                await volumes.stop()
                await driver.close()
            }
            return post
        } catch {
            await driver.close()
            throw error
        }
    }

    /// Opens the pools of volumes.
    private static func volumes(
        _ settings: HostSettings, _ driver: LibvirtDriver, _ backups: BackupSource, _ world: World
    ) throws -> FileVolumes {
        let all = [(name: HostSettings.firstPool, folder: settings.volumes)] + settings.pools
        let pools = all.map { name, folder in
            FileVolumesSettings.Pool(name: name, folder: folder, bounds: settings.poolBounds)
        }
        var files = FileVolumesSettings(folder: settings.folder + "/volume-records", pools: pools)
        files.backups = backups
        return try FileVolumes(files, images: driver.images, machines: driver, world: world)
    }

    /// Returns the network driver; nil if there is none. Only root can change networks, with programs that may be
    /// missing; machines without ports need no driver.
    private static func networks(_ folder: String, _ log: Logger) -> (any NetworkDriver)? {
        guard geteuid() == 0 else {
            log.notice("no networks on this host: it takes root to make them")
            return nil
        }
        do { return try LinuxNetwork(.init(folder: folder + "/networks")) } catch {
            log.notice("no networks on this host: \(error.detail ?? error.message)")
            return nil
        }
    }

    private static func bootedAt(_ world: World) -> Timestamp {
        let text = (try? String(contentsOfFile: "/proc/uptime", encoding: .utf8)) ?? ""
        return world.now - .seconds(Int(text.prefix { $0 != "." && $0 != " " }) ?? 0)
    }

    private static func say(_ facts: HostFacts, _ log: Logger) {
        let (capabilities, resources) = (facts.inventory.capabilities, facts.inventory.resources)
        log.info(
            "this machine is a host", metadata: [
                "host": "\(facts.name)", "hypervisor": "\(capabilities.hypervisor)", "acceleration": "\(capabilities.acceleration)",
                "guests": "\(capabilities.guestUser)", "cpus": "\(resources.cpus)", "memory_mib": "\(resources.memoryMiB)",
                "machines": "\(facts.inventory.machines.count)",
            ])
        if capabilities.guestUser.hasPrefix("root") { log.warning("guests run as \(capabilities.guestUser)") }
    }
}
