package import CloudCore
package import Logging

/// The work of `novella clear`: it stops what a stopped cloud left running on this host.
package enum HostClearing {
    /// The time in which guests may shut down by themselves, in seconds.
    private static let graceSeconds = 30

    /// Stops the machines on this host.
    ///
    /// - Returns: the number of stopped machines; nil if this state directory has never made this machine a host.
    /// - Throws: `StartError` while the cloud runs.
    package static func run(
        _ configuration: Configuration, directory: StateDirectory, world: World, log: Logger
    ) async throws -> Int? {
        guard Files.exists(directory.host + "/host.json") else { return nil }
        let lock = try StateLock(directory)
        defer { withExtendedLifetime(lock) {} }
        guard case .thisMachine(let settings) = HostsPlan(configuration, folder: directory.host) else { return nil }
        return try await Fleet.clear(settings, graceSeconds: graceSeconds, world: world, log: log)
    }
}
