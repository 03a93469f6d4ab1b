import CloudCore
import Durable
import HTTPKit
import SQL

/// Making servers: everything is looked up before, and rows, quotas and workflows are one transaction.
struct ServerCreation: Sendable {
    let service: ServerService
    private var context: ComputeContext { service.context }

    init(service: ServerService) { self.service = service }

    /// What is wanted, as the body said it.
    struct Wish: Sendable {
        var name = ""
        var description: String?
        var hostname: String?
        var flavorID = ""
        var imageID: String?
        var keyName: String?
        var metadata: [String: String] = [:]
        var userData: String?
        var hasConfigDrive = false
        var accessIPv4: String?
        var accessIPv6: String?
        var resizesDisk = false
        var zone: String?
        var host: String?
        var network = NetworkWish(kind: .automatic, items: [], securityGroups: [])
        var hints = Server.Hints()
        var certificates: [String]?
        var tags: [String] = []
        var least = 1
        var most = 1
    }

    func create(_ wish: Wish, by caller: Caller) async throws -> [Server] {
        let flavor = try await flavor(wish, by: caller)
        let image = try await image(wish, flavor, by: caller)
        try await check(wish, by: caller)
        let count = wish.most
        var plans: [NetworkPlan] = []
        for _ in 0..<count { plans.append(try await context.needs.networking.plan(wish.network, for: caller.principal)) }
        let now = context.world.now
        let ids = (0..<count).map { _ in context.world.random.uuid() }
        let reservation = "r-" + String(context.world.random.hexID().prefix(8))
        return try await context.write { [plans] tx in
            let key = try wish.keyName.map { name in
                guard let key = try KeyPairStore().find(name, of: caller.userID, in: tx) else {
                    throw CloudError.badRequest("Invalid key_name provided.")
                }
                return key
            }
            let allowed = try self.allowed(wish, flavor, by: caller, in: tx)
            let group = try self.group(wish, count: allowed, by: caller, in: tx)
            return try (0..<allowed).map { place in
                let name = count > 1 ? "\(wish.name)-\(place + 1)" : wish.name
                var server = Server(
                    id: ID(ids[place]), number: try NumberStore().next("server", in: tx), projectID: caller.projectID,
                    userID: caller.userID, name: name, hostname: wish.hostname ?? Hostname.from(name, id: ids[place]), flavor: flavor,
                    reservationID: reservation, createdAt: now, updatedAt: now)
                server.description = wish.description
                server.image = image
                (server.keyName, server.publicKey) = (key?.name, key?.publicKey)
                (server.metadata, server.tags) = (wish.metadata, wish.tags)
                (server.userData, server.hasConfigDrive) = (wish.userData, wish.hasConfigDrive)
                (server.accessIPv4, server.accessIPv6) = (wish.accessIPv4, wish.accessIPv6)
                (server.resizesDisk, server.certificates) = (wish.resizesDisk, wish.certificates)
                (server.pinnedZone, server.hints, server.launchIndex) = (wish.zone, wish.hints, place)
                server.groupID = group
                try service.servers.insert(server, in: tx)
                try service.workflows.start(
                    CreateServer.self, .init(serverID: server.id, flavor: flavor, network: plans[place], host: wish.host),
                    on: server.resource, as: caller.principal, options: .init(requestID: caller.requestID), in: tx)
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

    private func image(_ wish: Wish, _ flavor: Flavor, by caller: Caller) async throws -> Server.ImageReference? {
        guard let id = wish.imageID else {
            throw CloudError.badRequest("Invalid imageRef provided.")
        }
        return try await image(id, flavor, by: caller)
    }

    /// The image, if a server of that flavor can be made from it.
    func image(_ id: String, _ flavor: Flavor, by caller: Caller) async throws -> Server.ImageReference {
        let image: ImageFacts
        do {
            image = try await context.needs.images.image(id, for: caller.principal)
        } catch let error as CloudError where error.kind == .notFound {
            throw CloudError.badRequest("Can not find requested image")
        }
        if flavor.diskGiB == 0 {
            guard caller.may(.createWithoutDisk) else {
                throw CloudError.forbidden("Only volume-backed servers are allowed for flavors with zero disk.")
            }
        }
        guard image.isActive else { throw CloudError.badRequest("Image \(id) is not active.") }
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
        return Server.ImageReference(
            id: image.id, properties: image.properties, minDiskGiB: image.minDiskGiB, minMemoryMiB: image.minMemoryMiB)
    }

    private func check(_ wish: Wish, by caller: Caller) async throws {
        if wish.least > wish.most { throw CloudError.badRequest("min_count must be <= max_count") }
        let hosts = try await service.hosts.all()
        if let zone = wish.zone, !hosts.contains(where: { $0.zone == zone && !$0.isDisabled }) {
            throw CloudError.badRequest("The requested availability zone is not available")
        }
        if let host = wish.host, !hosts.contains(where: { $0.name == host }) {
            throw CloudError.badRequest("Compute host \(host) could not be found.")
        }
    }

    /// How many of the servers the quotas allow: at least those that are wanted at least.
    private func allowed(_ wish: Wish, _ flavor: Flavor, by caller: Caller, in tx: Transaction) throws -> Int {
        let quotas = QuotaStore()
        let project = caller.projectID
        let ofProject = try quotas.limits(project: project, user: nil, in: tx)
        if let most = ofProject[.metadataItems], most >= 0, wish.metadata.count > most {
            throw CloudError(.quotaExceeded, "Quota exceeded for metadata_items: Requested \(wish.metadata.count), but allowed \(most).")
        }
        var allowed = wish.most
        for user in [nil, caller.userID] as [String?] {
            let limits = try user == nil ? ofProject : quotas.limits(project: project, user: user, in: tx)
            let usage = try quotas.usage(project: project, user: user, in: tx)
            let each: [(resource: QuotaResource, amount: Int)] = [(.instances, 1), (.cores, flavor.vcpus), (.ram, flavor.ramMiB)]
            func over(_ count: Int) -> [(resource: QuotaResource, amount: Int)] {
                each.filter { item in
                    let most = limits[item.resource] ?? -1
                    return most >= 0 && (usage[item.resource] ?? 0) + item.amount * count > most
                }
            }
            while allowed > wish.least, !over(allowed).isEmpty { allowed -= 1 }
            let overs = over(allowed)
            guard overs.isEmpty else {
                func list(_ text: ((resource: QuotaResource, amount: Int)) -> String) -> String { overs.map(text).joined(separator: ", ") }
                throw CloudError(
                    .quotaExceeded,
                    """
                    Quota exceeded for \(list(\.resource.rawValue)): Requested \(list { String($0.amount * allowed) }), but already used \
                    \(list { String(usage[$0.resource] ?? 0) }) of \(list { String(limits[$0.resource] ?? -1) }) \(list(\.resource.rawValue))
                    """)
            }
        }
        return allowed
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

/// What a guest calls itself.
enum Hostname {
    /// Made of a server's name, as far as it has letters that a host's name can have.
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
