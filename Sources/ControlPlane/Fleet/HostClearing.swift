package import CloudCore
package import Logging

/// What `novella clear` does: takes off this host what a stopped cloud left running there.
package enum HostClearing {
    /// How long guests have to stop.
    private static let graceSeconds = 30

    /// - Returns: how many machines were stopped; nil when this state directory has never made this machine a host.
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
