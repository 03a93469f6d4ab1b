import CloudCore
import Drivers
import HostModel

/// The facts about the host that a driver must remember, because the host itself does not tell them. They outlive the
/// process.
struct HostMemory: StoredValue, Hashable {
    static let storedName = "linux-network.memory"

    /// A packet filter as it was put into a namespace: digests of the text that was written and of what the kernel
    /// lists for it. Neither follows from the other, and only both together show that nothing has changed.
    struct Applied: Codable, Hashable {
        var written: String
        var listed: String
    }

    var generation: Int64
    var numbers = Numbers()
    var ids = HostNetworkIDs()
    /// The device of each port.
    var taps: [String: String] = [:]
    /// The bridge of each network.
    var bridges: [String: String] = [:]
    /// The digest of the last state, without its generation. `namespaces` has the digest of the plan that was carried
    /// out for each namespace.
    var state = ""
    /// The number of passes since everything was inspected.
    var partialLooks = 0
    var namespaces: [String: String] = [:]
    /// The bridges that have addresses of the host.
    var routedBridges: Set<String> = []
    /// The former values of settings in `/proc/sys/net` that the driver changed, by their paths there.
    var settings: [String: String] = [:]
    /// The packet filters by namespace name; the empty name is the host's own.
    var filters: [String: Applied] = [:]
    /// The zones that were in use and may have flows of networks that no longer exist.
    var retiredZones: Set<Int> = []

    static func read(_ folder: String) throws(CloudError) -> HostMemory? {
        guard let data = try DurableFile.read(path(folder)) else { return nil }
        do { return try StoredJSON.value(from: data) } catch {
            throw .internalError("the memory of the host's networks is damaged: \(path(folder))", cause: error)
        }
    }

    func write(_ folder: String) throws(CloudError) {
        try DurableFile.write(StoredJSON.data(self), to: Self.path(folder))
    }

    static func path(_ folder: String) -> String { folder + "/memory.json" }
}
