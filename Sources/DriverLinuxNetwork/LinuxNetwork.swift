package import CloudCore
import Dispatch
import Drivers
import Foundation
package import HostModel
import Programs

/// A network driver with bridges, namespaces, veth pairs, nftables and dnsmasq.
package struct LinuxNetwork: NetworkDriver, MetadataListening {
    package struct Settings: Sendable {
        /// The driver's own folder. Its contents must outlive the process, and dnsmasq must be able to read them.
        package var folder: String
        /// One to three characters of a-z and 0-9, which distinguish this driver's things on the host from those of
        /// another.
        package var tag: String
        /// The name of a network namespace that stands for the host, so that one machine can have several; nil for that
        /// of the process.
        package var hostNamespace: String?
        /// Texts that tests use in place of rules, by the ids of the rules.
        package var ruleOverrides: [String: String] = [:]
        /// The most connections that a guest may have begun at the same time, and the most that it may have received.
        package var mostFlows = Limits.thing.flows.most

        package init(folder: String, tag: String = "nv", hostNamespace: String? = nil) {
            self.folder = folder
            self.tag = tag
            self.hostNamespace = hostNamespace
        }
    }

    package let kind = "linux"
    private let settings: Settings
    private let names: Names
    /// The queue on which changes take turns, so that they block none of the process's shared threads.
    private let queue: DispatchQueue

    /// Creates the driver, and its folder if it is missing.
    ///
    /// - Throws: `unavailable` if a program that the driver needs is not installed.
    package init(_ settings: Settings) throws(CloudError) {
        self.settings = settings
        names = try Names(tag: settings.tag)
        for program in Self.programs where ProgramRun.path(of: program) == nil {
            throw CloudError(.unavailable, "The host's networks cannot be changed now.", detail: "\(program) is not installed")
        }
        // dnsmasq reads its files here as a user of its own. No other user may list them.
        try DurableFile.makeFolder(settings.folder, mode: 0o711)
        queue = DispatchQueue(label: "networks of the host \(settings.tag)")
    }

    package static let programs = ["ip", "bridge", "nft", "dnsmasq", "conntrack"]

    @discardableResult
    package func apply(_ state: HostNetworkState) async throws -> NetworkReport {
        try await blocking { () throws(CloudError) in
            let old = try HostMemory.read(settings.folder)
            try state.require(notOlderThan: old?.generation)
            let ids = HostNetworkIDs(networks: state.networks.map(\.id), routers: state.routers.map(\.id), ports: state.ports.map(\.id))
            var memory = old ?? HostMemory(generation: state.generation)
            memory.generation = state.generation
            memory.ids = ids
            memory.numbers = memory.numbers.following(ids)
            memory.retiredZones.formUnion(Set((old?.numbers.zones ?? [:]).values).subtracting(memory.numbers.zones.values))
            // The driver must recognise a tap that a crash leaves behind.
            for port in state.ports { memory.taps[port.id] = port.tap }
            let host = try Namespace(settings.hostNamespace)
            for (path, _) in Converger.settings(state) where memory.settings[path] == nil { memory.settings[path] = try host.setting(path) }
            for network in state.networks { if case .routed = network.segment { memory.routedBridges.insert(names.bridge(network.id)) } }
            // The numbers and the generation are recorded before the work: whatever happens now, they count as used.
            if memory != old { try memory.write(settings.folder) }
            let compiler = PlanCompiler(names: names, folder: settings.folder, rules: RuleWriter(overrides: settings.ruleOverrides))
            var converger = Converger(
                names: names, folder: settings.folder, host: host, memory: memory, state: state,
                compile: { [memory] refused in compiler.compile(state, memory.numbers, withoutRules: refused) })
            converger.mostFlows = settings.mostFlows
            try converger.run()
            var done = converger.memory
            done.taps = Dictionary(converger.plan.taps.map { ($0.port, $0.name) }) { first, _ in first }
            done.bridges = Dictionary(converger.plan.bridges.map { ($0.network, $0.name) }) { first, _ in first }
            if done != memory { try done.write(settings.folder) }
            return NetworkReport(
                generation: state.generation, changes: converger.changes, cutFlows: converger.cutFlows, problems: converger.problems)
        }
    }

    package func observe() async throws -> ObservedNetwork {
        try await blocking { () throws(CloudError) in
            guard let memory = try HostMemory.read(settings.folder) else { return ObservedNetwork() }
            let links = try ObservedLinks(in: try Namespace(settings.hostNamespace)).links
            let spaces = Set(Namespace.all)
            let servers = DHCPServers(folder: settings.folder).names
            return ObservedNetwork(
                generation: memory.generation,
                networks: Set(memory.bridges.filter { links[$0.value] != nil }.keys),
                routers: Set(memory.ids.routers.filter { spaces.contains(names.routerNamespace($0)) }),
                ports: Set(memory.taps.filter { links[$0.value]?.master != nil }.keys),
                servingDHCP: Set(memory.ids.networks.filter { servers.contains(names.serviceNamespace($0)) }))
        }
    }

    package func removeAll() async throws {
        try await blocking { () throws(CloudError) in
            let memory = try HostMemory.read(settings.folder)
            let host = try Namespace(settings.hostNamespace)
            let empty = HostNetworkState(generation: memory?.generation ?? 0)
            var start = memory ?? HostMemory(generation: 0)
            start.retiredZones.formUnion(start.numbers.zones.values)
            var converger = Converger(names: names, folder: settings.folder, host: host, memory: start, state: empty) { _ in HostPlan() }
            try converger.removeAll()
            unlink(HostMemory.path(settings.folder))
            // The folder stays if it has files of others.
            rmdir(settings.folder)
        }
    }

    package func listenForMetadata(at door: MetadataDoor) async throws -> Int32 {
        try await blocking { () throws(CloudError) in
            let (namespace, device) = try place(of: door)
            return try namespace.listen(at: MetadataEndpoint.address, port: MetadataEndpoint.port, device: device)
        }
    }

    package func metadataPlace(of door: MetadataDoor) async throws -> String {
        try await blocking { () throws(CloudError) in
            let (namespace, device) = try place(of: door)
            var found = stat()
            fstat(namespace.descriptor, &found)
            let number = try namespace.run { () throws(CloudError) in if_nametoindex(device) }
            guard number > 0 else { throw .notFound("network", door.network) }
            return "\(found.st_ino)/\(number)"
        }
    }

    private func place(of door: MetadataDoor) throws(CloudError) -> (Namespace, device: String) {
        let (name, device) = switch door {
        case .service(let network): (names.serviceNamespace(network), names.inner("service/" + network))
        case .router(let router, let port, _): (names.routerNamespace(router), names.inner(port))
        }
        guard Namespace.all.contains(name) else { throw .notFound("network", door.network) }
        return (try Namespace(name), device)
    }

    private func blocking<Value: Sendable>(_ body: @escaping @Sendable () throws(CloudError) -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result(catching: { try body() })) }
        }
    }
}
