import CloudCore
import SQL

extension Placing {
    /// The most hosts whose reasons an error lists.
    private static let mostExplained = 100  // tidy: allow bound, of a text

    /// Returns the resources that a server requests from Placement. The extra specs take precedence over the flavor's
    /// numbers.
    static func request(for server: Server) -> ResourceRequest {
        let flavor = server.flavor
        var request = ResourceRequest(
            vcpus: flavor.vcpus, memoryMiB: flavor.ramMiB,
            diskGiB: server.diskOnHostGiB + (flavor.swapMiB + 1023) / 1024,
            others: [:], requiredTraits: [], forbiddenTraits: [])
        for (key, value) in flavor.extraSpecs.sorted(by: { $0.key < $1.key }) {
            if key.hasPrefix("resources:"), let amount = Int(value) {
                switch key.dropFirst("resources:".count) {
                case "VCPU": request.vcpus = amount
                case "MEMORY_MB": request.memoryMiB = amount
                case "DISK_GB": request.diskGiB = amount
                case let name: request.others[String(name)] = amount
                }
            } else if key.hasPrefix("trait:") {
                let name = String(key.dropFirst("trait:".count))
                if value == "required" {
                    request.requiredTraits.append(name)
                } else {
                    request.forbiddenTraits.append(name)
                }
            }
        }
        return request
    }

    /// Returns what a host must have for a server. It reads the rows of the server and its group alone.
    ///
    /// - Parameter facts: returns the facts of a host by its name; nil for a host that is not known.
    func wish(
        for server: Server, _ terms: Terms, in tx: Transaction, facts: (String) -> Offer.Host?
    ) throws -> PlacementWish {
        var wish = PlacementWish(
            serverID: server.id.text, extraSpecs: server.flavor.extraSpecs,
            imageProperties: server.imageProperties,
            zone: server.pinnedZone, host: try terms.only ?? hostOfVolumes(server, in: tx),
            unswept: try unswept(server, in: tx),
            sameHost: server.hints.sameHost,
            differentHost: server.hints.differentHost)
        if let move = try terms.move.map({ $0(try server.requireHost()) }) {
            wish.move = move
            wish.isSourceAble =
                facts(move.source).map { move.suits($0.movesMachines, $0.movesRunningMachines) } ?? false
        }
        if let id = server.groupID, let group = try ServerGroupStore().find(id, in: tx) {
            wish.group = group
            wish.groupHasHosts = try ServerGroupStore().hasHosts(id, besides: server.id, in: tx)
        }
        return wish
    }

    /// Returns the one host whose machines can use the volumes that the server has; nil if there are several.
    private func hostOfVolumes(_ server: Server, in tx: Transaction) throws -> String? {
        guard server.generation > 0 else { return nil }
        let volumes = try ServerVolumeStore().list(of: server.id, in: tx)
        return try volumes.isEmpty ? nil : needs.volumes.host(of: volumes.map(\.volumeID), in: tx)
    }

    /// Returns the hosts from which the server was evacuated and which may still have its machine. A server whose
    /// machine was never wanted (generation 0) has none.
    private func unswept(_ server: Server, in tx: Transaction) throws -> Set<String> {
        guard server.generation > 0 else { return [] }
        let filter = MigrationStore.Filter(
            serverID: server.id.text, status: "done", kind: ServerMigration.Kind.evacuation.rawValue)
        return Set(try MigrationStore().list(filter, in: tx).compactMap(\.source))
    }

    /// Returns the error for no suitable host, with the reasons of the first hosts.
    func noHost(
        for server: Server, _ wish: PlacementWish, _ index: HostIndex, _ room: any RoomSearch, in tx: Transaction
    ) throws -> CloudError {
        var refusals: [(host: String, reason: String)] = []
        for name in index.known.names.prefix(Self.mostExplained) {
            guard let state = index.state(of: name, for: wish, isUp: needs.hosts.isUp(name)) else { continue }
            if try room.candidates(at: state.id).isEmpty {
                let reasons = try needs.placement.refusals(Self.request(for: server), at: state.id, in: tx)
                refusals.append(
                    (name, "placement: \(reasons.isEmpty ? "it was no candidate" : reasons.joined(separator: ", "))"))
            } else {
                refusals.append((name, HostFilters.refusal(state, wish) ?? "it was not looked at"))
            }
        }
        return Scheduler.noHost(refusals, candidates: 0, others: index.known.count - refusals.count)
    }
}
