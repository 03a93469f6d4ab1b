import CloudCore
import Durable
import HTTPKit
import HostModel
import SQL

/// The creation of servers. Everything is looked up before; rows, quotas and workflows are one transaction.
struct ServerCreation: Sendable {
    let service: ServerService
    private var context: ComputeContext { service.context }

    /// The servers that the request's body asks for.
    struct Wish: Sendable {
        var name = ""
        var description: String?
        var hostname: String?
        var flavorID = ""
        var imageID: String?
        var disks: LocalDisks?
        var volumes: [VolumeWish] = []
        /// Whether the request's microversion knows volumes that several servers use.
        var knowsMultiattach = false
        var keyName: String?
        var metadata: [String: String] = [:]
        var userData: String?
        var hasConfigDrive = false
        var accessIPv4: String?
        var accessIPv6: String?
        var resizesDisk = false
        var zone: String?
        var host: String?
        var network = NetworkWish.automatic
        /// The names or ids of the security groups.
        var securityGroups: [String] = []
        var hints = Server.Hints()
        var certificates: [String]?
        var tags: [String] = []
        var least = 1
        var most = 1
    }

    func create(_ given: Wish, by caller: Caller) async throws -> [Server] {
        let flavor = try await flavor(given, by: caller)
        let (wish, facts) = try await withDevices(given, by: caller)
        let volumes = try await VolumePlan(wish.volumes, wish, flavor, context: context, by: caller)
        let image = try image(facts, flavor, volumes, by: caller)
        let disks = try wish.disks?.filled(from: flavor)
        try await check(wish, by: caller)
        let plan = try await NetworkRefusal.whileCreating {
            try await context.needs.networking.plan(wish.network, groups: wish.securityGroups, for: caller.principal)
        }
        let room = ServerRoom(needs: context.needs)
        // A request that exceeds a limit ends here and writes nothing. The write transaction checks again.
        let most = try await context.read { tx in try room.servers(wish, flavor, plan, by: caller, in: tx) }
        let now = context.world.now
        let ids = (0..<most).map { _ in context.world.random.uuid() }
        let plans = [plan] + (1..<most).map { _ in plan.again(context.world) }
        let reservation = "r-" + String(context.world.random.hexID().prefix(8))
        return try await context.write { tx in
            let key = try wish.keyName.map { name in
                guard let key = try KeyPairStore().find(name, of: caller.userID, in: tx) else {
                    throw CloudError.badRequest("Invalid key_name provided.")
                }
                return key
            }
            try QuotaService.requireMetadata(wish.metadata.count, of: caller.projectID, in: tx)
            let allowed = min(most, try room.servers(wish, flavor, plan, by: caller, in: tx))
            let group = try self.group(wish, count: allowed, by: caller, in: tx)
            return try (0..<allowed).map { place in
                let name = allowed > 1 ? "\(wish.name)-\(place + 1)" : wish.name
                var server = Server(
                    id: ID(ids[place]), number: try NumberStore.compute.next("server", in: tx),
                    projectID: caller.projectID, userID: caller.userID, name: name,
                    hostname: wish.hostname ?? Hostname.from(name, id: ids[place]), flavor: flavor,
                    reservationID: reservation, createdAt: now, updatedAt: now)
                server.description = wish.description
                (server.image, server.disks, server.rootVolume) = (image, disks, volumes.root)
                (server.keyName, server.publicKey) = (key?.name, key?.publicKey)
                (server.metadata, server.tags) = (wish.metadata, wish.tags)
                (server.userData, server.hasConfigDrive) = (wish.userData, wish.hasConfigDrive)
                (server.accessIPv4, server.accessIPv6) = (wish.accessIPv4, wish.accessIPv6)
                (server.resizesDisk, server.certificates) = (wish.resizesDisk, wish.certificates)
                (server.pinnedZone, server.hints, server.launchIndex) = (wish.zone, wish.hints, place)
                server.groupID = group
                var rootDevice = server.rootDevice
                let planned = try volumes.reserve(for: server, rootDevice: &rootDevice, in: tx)
                server.rootDevice = rootDevice
                try service.servers.insert(server, in: tx)
                let host = wish.host ?? volumes.host
                let options = Workflows.StartOptions(requestID: caller.requestID)
                if planned.isEmpty {
                    try service.workflows.start(
                        CreateServer.self,
                        .init(serverID: server.id, flavor: flavor, network: plans[place], host: host),
                        on: server.resource, as: caller.principal, options: options, in: tx)
                } else {
                    try service.workflows.start(
                        CreateServerWithVolumes.self,
                        .init(
                            serverID: server.id, flavor: flavor, network: plans[place], host: host, volumes: planned),
                        on: server.resource, as: caller.principal, options: options, in: tx)
                }
                return server
            }
        }
    }

    // MARK: What it is made from

    private func flavor(_ wish: Wish, by caller: Caller) async throws -> Flavor {
        do {
            return try await context.read { tx in try FlavorService.require(ID(wish.flavorID), by: caller, in: tx) }
        } catch let error as CloudError where error.kind == .notFound {
            throw CloudError.badRequest(error.message)
        }
    }

    /// Returns the wish with the devices that its image describes, and the facts about that image. The image is the one
    /// that the server or else its root disk is made of.
    private func withDevices(_ wish: Wish, by caller: Caller) async throws -> (wish: Wish, image: ImageFacts?) {
        var facts: ImageFacts?
        var first: ImageFacts?
        if let id = wish.imageID {
            facts = try await self.facts(of: ID(id), by: caller)
            first = facts
        } else if case .image(let id)? = wish.volumes.first(where: \.isRoot)?.source {
            first = try await self.facts(of: id, by: caller)
        }
        guard let first, let devices = try ImageDevices.devices(in: first.properties) else { return (wish, facts) }
        try caller.require(.createWithVolume)
        return (try wish.with(devices), facts)
    }

    private func image(
        _ image: ImageFacts?, _ flavor: Flavor, _ volumes: VolumePlan, by caller: Caller
    ) throws -> Server.ImageReference? {
        guard volumes.root != nil else {
            guard let image else { throw CloudError.badRequest("Invalid imageRef provided.") }
            return try reference(to: image, flavor, by: caller)
        }
        // A server whose root disk is a volume has no image, unless it has the root disk from its image.
        guard let image, image.properties[ImageDevices.mapping] != nil else { return nil }
        guard image.isActive else { throw CloudError.badRequest("Image \(image.id) is not active.") }
        return Server.ImageReference(image)
    }

    /// Returns the facts about an image.
    ///
    /// - Throws: `badRequest` for one that is not there or that the caller may not see.
    func facts(of id: ID<Kind.Image>, by caller: Caller) async throws -> ImageFacts {
        do {
            return try await context.needs.images.image(id, for: caller.principal)
        } catch let error as CloudError where error.kind == .notFound {
            throw CloudError.badRequest("Can not find requested image")
        }
    }

    /// Returns the image if a server of that flavor can be created from it.
    func image(_ id: ID<Kind.Image>, _ flavor: Flavor, by caller: Caller) async throws -> Server.ImageReference {
        try reference(to: try await facts(of: id, by: caller), flavor, by: caller)
    }

    private func reference(
        to image: ImageFacts, _ flavor: Flavor, by caller: Caller
    ) throws -> Server.ImageReference {
        if flavor.diskGiB == 0 {
            guard caller.may(.createWithoutDisk) else {
                throw CloudError.forbidden("Only volume-backed servers are allowed for flavors with zero disk.")
            }
        }
        guard image.isActive else { throw CloudError.badRequest("Image \(image.id) is not active.") }
        if flavor.ramMiB < image.minMemoryMiB { throw CloudError.badRequest("Flavor's memory is too small for requested image.") }
        if flavor.diskGiB > 0 {
            let bytes = Int64(flavor.diskGiB) << 30
            if image.sizeBytes > bytes {
                throw CloudError.badRequest(
                    "Flavor's disk is too small for requested image. Flavor disk is \(bytes) bytes, image is \(image.sizeBytes) bytes.")
            }
            if flavor.diskGiB < image.minDiskGiB {
                throw CloudError.badRequest(
                    "Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is \(bytes) bytes, minimum size is \(Int64(image.minDiskGiB) << 30) bytes.")
            }
        }
        return Server.ImageReference(image)
    }

    private func check(_ wish: Wish, by caller: Caller) async throws {
        if wish.least > wish.most { throw CloudError.badRequest("min_count must be <= max_count") }
        if wish.most > 1 { try Self.refuseSharing(wish) }
        guard wish.zone != nil || wish.host != nil else { return }
        let hosts = try await context.hosts.overview()
        if let zone = wish.zone, !hosts.hasEnabledHost(in: zone) {
            throw CloudError.badRequest("The requested availability zone is not available")
        }
        if let host = wish.host, !hosts.isKnown(host) {
            throw CloudError.badRequest("Compute host \(host) could not be found.")
        }
    }

    /// Refuses to give several servers a value that only one server can have.
    private static func refuseSharing(_ wish: Wish) throws {
        if wish.hostname != nil {
            throw CloudError.badRequest("The hostname parameter cannot be used when creating multiple servers.")
        }
        if wish.network.items.contains(where: { $0.network != nil && $0.address != nil }) {
            throw CloudError.badRequest("Failed to launch instances: with a fixed_ip, max_count cannot be greater than 1.")
        }
        if wish.network.items.contains(where: { $0.port != nil }) {
            throw CloudError.badRequest("Failed to launch instances: one port cannot be of several servers. Launch them one by one.")
        }
    }

    private func group(_ wish: Wish, count: Int, by caller: Caller, in tx: Transaction) throws -> ID<ServerGroup>? {
        guard let text = wish.hints.group else { return nil }
        guard let group = try ServerGroupStore().find(ID(text), in: tx), group.projectID == caller.projectID || caller.isAdministrator else {
            throw CloudError.badRequest("Instance group \(text) could not be found.")
        }
        let most = try QuotaStore().limit(.serverGroupMembers, project: caller.projectID, user: nil, in: tx)
        if most >= 0, group.members.count + count > most {
            throw CloudError(.quotaExceeded, "Quota exceeded, too many servers in group")
        }
        return group.id
    }
}

extension Server.ImageReference {
    /// Makes a reference to an image. The devices that the image describes are the server's own from then on.
    init(_ image: ImageFacts) {
        self.init(
            id: image.id, properties: image.properties.filter { !ImageDevices.names.contains($0.key) },
            minDiskGiB: image.minDiskGiB, minMemoryMiB: image.minMemoryMiB)
    }
}

/// The host name of a guest.
enum Hostname {
    /// Returns a host name made of a server's name. Characters that a host name cannot have are left out; a name
    /// without any valid character becomes `server-` and the id.
    static func from(_ name: String, id: String) -> String {
        var text = ""
        for scalar in name.lowercased().unicodeScalars {
            switch scalar {
            case "a"..."z", "0"..."9", "-": text.unicodeScalars.append(scalar)
            case " ", "_", ".": text += "-"
            default: break
            }
        }
        let trimmed = text.drop { $0 == "-" }.prefix(63).reversed().drop { $0 == "-" }.reversed()
        return trimmed.isEmpty ? "server-\(id)" : String(trimmed)
    }
}
