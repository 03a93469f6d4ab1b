import CloudCore
import HostModel
import SQL

/// The volumes that new servers are to have. They are looked up before any row is written.
struct VolumePlan: Sendable {
    /// The wish for a volume, with what is known of it.
    private struct Item: Sendable {
        var wish: VolumeWish
        var sizeGiB: Int
    }

    private var items: [Item] = []
    /// The facts about the volume that the servers start from; nil if their root disks are local.
    private(set) var root: Server.RootVolume?
    /// The one host whose machines can use the volumes; nil if there are several, or no volumes.
    private(set) var host: String?
    private let context: ComputeContext

    /// Looks up the volumes, snapshots and images.
    ///
    /// - Throws: `badRequest` for what the caller does not have or what cannot be a disk of the server.
    init(
        _ wishes: [VolumeWish], _ server: ServerCreation.Wish, _ flavor: Flavor, context: ComputeContext,
        by caller: Caller
    ) async throws {
        self.context = context
        for wish in wishes {
            let facts = try await Self.facts(wish, context, by: caller)
            if facts.isMultiattach, !server.knowsMultiattach {
                throw Self.unknownMultiattach
            }
            if case .volume(let id) = wish.source {
                if server.most > 1, !facts.isMultiattach {
                    throw CloudError.badRequest(
                        "Block Device Mapping is Invalid: volume \(id) cannot be of several servers.")
                }
            }
            // A volume that is made of a snapshot is where the snapshot is.
            if let place = facts.host {
                guard [nil, place].contains(host), [nil, place].contains(server.host) else {
                    throw CloudError.badRequest(
                        "Block Device Mapping is Invalid: no host can reach all of the server's volumes.")
                }
                host = place
            }
            if wish.isRoot { root = try Self.root(wish, facts, flavor) }
            items.append(Item(wish: wish, sizeGiB: max(wish.sizeGiB ?? 0, facts.sizeGiB)))
        }
    }

    /// The error for a volume that several servers can use, in a microversion that does not know such volumes.
    static let unknownMultiattach = CloudError.badRequest(
        "Multiattach volumes are only supported starting with compute API version 2.60.")

    /// Returns the facts about what a volume is, or is made of.
    private static func facts(
        _ wish: VolumeWish, _ context: ComputeContext, by caller: Caller
    ) async throws -> VolumeFacts {
        func found(_ what: String, _ body: () async throws -> VolumeFacts) async throws -> VolumeFacts {
            do {
                return try await body()
            } catch let error as CloudError where error.kind == .notFound {
                throw CloudError.badRequest("Block Device Mapping is Invalid: failed to get \(what).")
            }
        }
        switch wish.source {
        case .blank: return VolumeFacts(sizeGiB: wish.sizeGiB ?? 0)
        case .volume(let id):
            return try await found("volume \(id)") { try await context.needs.volumes.volume(id, for: caller.principal) }
        case .snapshot(let id):
            return try await found("snapshot \(id)") {
                try await context.needs.volumes.snapshot(id, for: caller.principal)
            }
        case .image(let id):
            return try await found("image \(id)") {
                let image = try await context.needs.images.image(id, for: caller.principal)
                guard image.isActive else { throw CloudError.badRequest("Image \(id) is not active.") }
                var facts = VolumeFacts(
                    sizeGiB: wish.sizeGiB ?? 0, isBootable: true, imageProperties: image.propertiesOfVolume)
                (facts.minDiskGiB, facts.minMemoryMiB) = (image.minDiskGiB, image.minMemoryMiB)
                return facts
            }
        }
    }

    private static func root(_ wish: VolumeWish, _ facts: VolumeFacts, _ flavor: Flavor) throws -> Server.RootVolume {
        if case .volume(let id) = wish.source, !facts.isBootable {
            throw CloudError.badRequest("Block Device \(id) is not bootable.")
        }
        if flavor.ramMiB < facts.minMemoryMiB {
            throw CloudError.badRequest("Flavor's memory is too small for requested image.")
        }
        let size = max(wish.sizeGiB ?? 0, facts.sizeGiB)
        if size < facts.minDiskGiB {
            throw CloudError.badRequest(
                """
                Volume is smaller than the minimum size specified in image metadata. Volume size is \
                \(Int64(size) << 30) bytes, minimum size is \(Int64(facts.minDiskGiB) << 30) bytes.
                """)
        }
        return Server.RootVolume(imageProperties: facts.imageProperties)
    }

    /// Reserves the user's own volumes for a server, and says what is to be made.
    ///
    /// - Parameter rootDevice: set to the device of the root disk.
    /// - Throws: `badRequest` for a volume that is in use; `conflict` for a device that two volumes want.
    func reserve(
        for server: Server, rootDevice: inout String, in tx: Transaction
    ) throws -> [PlannedVolume] {
        guard !items.isEmpty else { return [] }
        var names = DeviceNames(root == nil ? [rootDevice] : [])
        let ordered = items.filter(\.wish.isRoot) + items.filter { !$0.wish.isRoot }
        return try ordered.map { item in
            let wish = item.wish
            let planned = try planned(item, server, device: try names.take(wish.device, bus: wish.bus))
            if wish.isRoot { rootDevice = planned.use.device }
            guard planned.new == nil else { return planned }
            try context.needs.volumes.reserve(planned.use.use(in: server.projectID), in: tx)
            try ServerVolumeStore().insert(planned.use, in: tx)
            return planned
        }
    }

    private func planned(_ item: Item, _ server: Server, device: String) throws -> PlannedVolume {
        let (wish, random) = (item.wish, context.world.random)
        let source: NewVolume.Source? =
            switch wish.source {
            case .volume: nil
            case .blank: .nothing
            case .image(let id): .image(id)
            case .snapshot(let id): .snapshot(id)
            }
        var id = ID<Kind.Volume>(random.uuid())
        if case .volume(let given) = wish.source { id = given }
        let use = ServerVolume(
            id: random.uuid(), serverID: server.id, volumeID: id, attachmentID: ID(random.uuid()), device: device,
            bootIndex: wish.bootIndex, bus: wish.bus, isCD: wish.isCD, tag: wish.tag,
            isDeletedWithServer: wish.isDeletedWithServer)
        return PlannedVolume(
            use: use, new: source.map { NewVolume(id: id, source: $0, sizeGiB: item.sizeGiB, type: wish.type) })
    }
}
