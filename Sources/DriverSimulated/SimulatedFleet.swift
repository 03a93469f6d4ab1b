package import CloudCore
package import Drivers
import Foundation
import HostModel
import Synchronization

/// The behaviour of simulated hosts.
package struct SimulationSettings: Sendable {
    /// The range of the duration of work. The duration of each piece is drawn from the seed.
    package var delay: ClosedRange<Duration> = .milliseconds(5)...(.milliseconds(40))
    package var seed: UInt64 = 1
    /// The resources that each host reports.
    package var cpus = 16
    package var memoryMiB: Int64 = 65_536
    package var diskBytes: Int64 = 1 << 40
    /// The size of each host's pool of volumes.
    package var poolBytes: Int64 = 10 << 40
    /// The number of each host's pools: `volumes`, `volumes-2` and so on.
    package var pools = 1
    /// The clock that measures the delays.
    package var clock: any Clock<Duration> = ContinuousClock()

    package init() {}

    /// The settings without delays, for tests.
    package static let immediate: SimulationSettings = {
        var settings = SimulationSettings()
        settings.delay = .zero...(.zero)
        return settings
    }()
}

/// Any number of hosts without a hypervisor. They stand for the hardware: machines keep running while their drivers are
/// replaced, and with a folder also while the process is replaced.
package final class SimulatedFleet: Sendable {
    private let settings: SimulationSettings
    private let world: World
    private let folder: String?
    private let hosts = Mutex<[String: SimulatedHost]>([:])
    private let backups = SimulatedBackups()

    /// Creates a fleet; its hosts are created at their first use.
    ///
    /// - Parameter folder: the folder for the hosts; nil to keep them in memory.
    package init(folder: String? = nil, world: World, settings: SimulationSettings = SimulationSettings()) throws {
        if let folder { try DurableFile.makeFolder(folder) }
        self.folder = folder
        self.world = world
        self.settings = settings
    }

    /// Lets the hosts fetch the contents of backups from a source, as the control plane that runs now offers it.
    package func fetchBackups(from source: BackupSource) { backups.source = source }

    /// Returns the host with that name, and creates it at the first use.
    ///
    /// - Parameter name: 1 to 64 characters of `a-z`, `0-9`, `-` and `_`.
    package func host(_ name: String) throws -> SimulatedHost {
        guard PathPart.isPlain(name) else { throw CloudError.badRequest("A simulated host cannot be called '\(name)'.") }
        return try hosts.withLock { hosts in
            if let host = hosts[name] { return host }
            // The name is part of the seed, so that hosts differ and each is the same in every run.
            let seed = name.utf8.reduce(settings.seed) { $0 &* 1_099_511_628_211 ^ UInt64($1) }
            let host = try SimulatedHost(
                name: name, folder: folder.map { "\($0)/\(name)" }, world: world, settings: settings,
                backups: backups, seed: seed)
            hosts[name] = host
            return host
        }
    }
}
