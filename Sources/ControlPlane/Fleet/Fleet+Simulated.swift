import AgentCore
package import CloudCore
import DriverSimulated
import Drivers
import HostModel
package import Logging

extension Fleet {
    /// Creates the fleet of a plan.
    ///
    /// - Parameter sources: the sources from which hosts fetch bytes.
    convenience init(_ plan: HostsPlan, sources: HostSources, world: World, log: Logger) throws {
        switch plan {
        case .none: self.init(posts: [], world: world, log: log)
        case .again(let former):
            self.init(posts: former.postsAgain, simulated: former.simulated, world: world, log: log)
        case .simulated(let count, let isInstant, let poolBytes, let pools):
            try self.init(
                simulating: count, isInstant: isInstant, poolBytes: poolBytes, pools: pools, world: world, log: log)
        case .opened(let driver, let name, let folder):
            let agent = try Agent(
                host: HostID(name), driver: driver, folder: folder, bootID: Agent.kernelBootID, world: world, log: log)
            let id = UUIDText.derived(from: name, in: Self.namespace)
            self.init(posts: [Post(name: name, id: id, agent: agent, bootedAt: world.now)], world: world, log: log)
        case .thisMachine(let settings): try self.init(thisMachine: settings, sources: sources, world: world, log: log)
        }
        simulated?.fetchBackups(from: sources.backups)
    }

    /// The UUID namespace for the ids of hosts that do not store an id.
    private static let namespace = "6a3c1d1e-0f0b-4c6f-9f3e-5a1e6b6d7c10"

    /// Creates a fleet of hosts without a hypervisor, which are kept in memory.
    package convenience init(
        simulating count: Int, isInstant: Bool = true, poolBytes: Int64 = 10 << 40, pools: Int = 1, world: World,
        log: Logger
    ) throws {
        var settings = isInstant ? SimulationSettings.immediate : SimulationSettings()
        (settings.poolBytes, settings.pools) = (poolBytes, pools)
        let simulation = try SimulatedFleet(world: world, settings: settings)
        // These addresses are reserved for benchmarks (RFC 2544); nothing is sent to them.
        let first = IPAddress(.v4, 0xc612_0001)
        let posts = try (0..<count).map { number in
            let name = "host-\(number + 1)"
            let host = try simulation.host(name)
            let agent = try Agent(
                host: HostID(name), driver: host.driver(), networks: SimulatedNetwork(), volumes: host.volumes(),
                folder: nil, bootID: "", world: world, log: log)
            var post = Post(
                name: name, id: UUIDText.derived(from: name, in: Self.namespace), agent: agent, bootedAt: world.now)
            post.tunnelAddress = first + number
            return post
        }
        self.init(posts: posts, simulated: simulation, world: world, log: log)
    }
}
