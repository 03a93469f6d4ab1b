import AgentCore
package import CloudCore
package import Compute
import DriverLibvirt
import DriverSimulated
package import Drivers
import NIOCore
package import Logging

/// Which hosts a cloud has.
package enum HostsPlan: Sendable {
    case none
    /// - Parameter isInstant: without the delays that real work has.
    case simulated(Int, isInstant: Bool)
    /// The hosts of a cloud that is gone, with their agents and the machines that they have: a restart of the control plane alone.
    case again(Fleet)
    /// This machine, by libvirt.
    case thisMachine(HostSettings)
    /// One host that somebody else has opened.
    ///
    /// - Parameter folder: where its agent keeps what is wanted.
    case opened(any MachineDriver, name: String, folder: String)
}

extension HostsPlan {
    /// - Parameter folder: where this machine keeps what it has as a host.
    init(_ configuration: Configuration, folder: String) {
        if configuration.simulate.enabled {
            self = .simulated(configuration.simulate.hosts, isInstant: false)
            return
        }
        var settings = HostSettings(folder: folder)
        settings.uri = configuration.libvirt.connectionURI
        switch configuration.libvirt.virtType {
        case "none":
            self = .none
            return
        case "kvm": settings.acceleration = .kvm
        case "qemu": settings.acceleration = .emulated
        default: settings.acceleration = .automatic
        }
        self = .thisMachine(settings)
    }
}

extension Fleet {
    /// - Parameter images: where hosts get images from.
    convenience init(_ plan: HostsPlan, images: ImageSource, world: World, log: Logger) throws {
        switch plan {
        case .none: self.init(posts: [], world: world, log: log)
        case .again(let former):
            self.init(posts: former.postsAgain, simulated: former.simulated, world: world, log: log)
        case .simulated(let count, let isInstant): try self.init(simulating: count, isInstant: isInstant, world: world, log: log)
        case .opened(let driver, let name, let folder):
            let agent = try Agent(
                host: HostID(name), driver: driver, folder: folder, bootID: Agent.kernelBootID, world: world, log: log)
            let id = UUIDText.derived(from: name, in: Self.namespace)
            self.init(posts: [Post(name: name, id: id, agent: agent, bootedAt: world.now)], world: world, log: log)
        case .thisMachine(let settings): try self.init(thisMachine: settings, images: images, world: world, log: log)
        }
    }

    /// Of the ids of hosts that keep none themselves.
    private static let namespace = "6a3c1d1e-0f0b-4c6f-9f3e-5a1e6b6d7c10"

    /// Hosts without a hypervisor, kept in memory.
    package convenience init(simulating count: Int, isInstant: Bool = true, world: World, log: Logger) throws {
        let simulation = try SimulatedFleet(world: world, settings: isInstant ? .immediate : SimulationSettings())
        // Addresses that benchmarks may use (RFC 2544): nothing is sent there.
        let first = IPAddress(.v4, 0xc612_0001)
        let posts = try (0..<count).map { number in
            let name = "host-\(number + 1)"
            let agent = try Agent(
                host: HostID(name), driver: simulation.host(name).driver(), networks: SimulatedNetwork(), folder: nil, bootID: "", world: world,
                log: log)
            var post = Post(
                name: name, id: UUIDText.derived(from: name, in: Self.namespace), agent: agent, bootedAt: world.now)
            post.tunnelAddress = first + number
            return post
        }
        self.init(posts: posts, simulated: simulation, world: world, log: log)
    }

    /// A simulated machine as tests look at it.
    package struct SimulatedMachine: Sendable, Hashable {
        package var id: String
        package var host: String
        package var power: String
        package var memoryMiB: Int
        package var disks: [String]
        package var ports: [String]
        package var boots: Int
    }

    /// All machines of the simulation, whoever knows of them.
    package var simulatedMachines: [SimulatedMachine] {
        simulatedHosts.flatMap { host in
            host.machines.map { spec, power, boots in
                let disks = spec.asStarted.disks.map { disk in
                    if case .image(let image, _) = disk.source { "\(disk.id) of \(image.content.text.prefix(8))" } else { disk.id }
                }
                return SimulatedMachine(
                    id: spec.id.text, host: host.name, power: power.rawValue, memoryMiB: spec.memoryMiB, disks: disks,
                    ports: spec.nics.map(\.id), boots: Int(boots))
            }
        }
    }

    /// The copies of disks that lie on simulated hosts, by host.
    package var simulatedCopies: [(host: String, id: String)] {
        simulatedHosts.flatMap { host in host.snapshots.map { (host.name, $0) } }
    }

    private var simulatedHosts: [SimulatedHost] {
        guard let simulated else { return [] }
        return names.compactMap { try? simulated.host($0) }
    }

    /// Reads a copy of a disk whole, and says how long it is.
    package func size(of copy: MachineSnapshot, on host: String) async throws -> Int64 {
        let copy = DiskSnapshot(path: copy.path, format: copy.format, virtualBytes: copy.virtualBytes, sizeBytes: copy.sizeBytes)
        var size: Int64 = 0
        for try await bytes in try await link(to: host).bytes(of: copy) { size += Int64(bytes.readableBytes) }
        return size
    }

    /// A guest of the simulation stops by itself.
    package func guestStops(_ id: String, on host: String, crashing: Bool = false) throws {
        try simulated?.host(host).guestStops(MachineID(id), crashing: crashing)
    }
}
