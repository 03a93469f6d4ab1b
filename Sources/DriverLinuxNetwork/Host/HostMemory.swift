import CloudCore
import Drivers
import HostModel

/// What a driver must know of the host that the host does not tell by itself. It outlives the process.
struct HostMemory: StoredValue, Hashable {
    static let storedName = "linux-network.memory"

    /// A packet filter as it was put into a namespace: what was written, and what the kernel lists for it. Neither is made from the
    /// other, and only both together say that nothing has changed.
    struct Applied: Codable, Hashable {
        var written: String
        var listed: String
    }

    var generation: Int64
    var numbers = Numbers()
    var ids = HostNetworkIDs()
    /// Device of each port.
    var taps: [String: String] = [:]
    /// Bridge of each network.
    var bridges: [String: String] = [:]
    /// Digest of the last state that was taken, without its generation, and of each namespace's plan that was carried out.
    var state = ""
    /// How often since the last look at everything.
    var partialLooks = 0
    var namespaces: [String: String] = [:]
    /// Bridges that have addresses of the host.
    var routedBridges: Set<String> = []
    /// What was in `/proc/sys/net` before the driver changed it, by its path there.
    var settings: [String: String] = [:]
    /// By the namespace's name; the host's own is "".
    var filters: [String: Applied] = [:]
    /// Zones that were in use and may hold flows of networks that are gone.
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
