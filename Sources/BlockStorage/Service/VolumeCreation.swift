import CloudCore
import Durable
import HostModel
import SQL

/// The creation of a volume: it looks up everything that the request names, and writes the row and the workflow in one
/// transaction.
struct VolumeCreation: Sendable {
    /// The volume that a user asks for.
    struct Wish: Sendable {
        var name: String?
        var description: String?
        /// The size in GiB; nil for that of the content.
        var size: Int?
        /// The id or the name of the type.
        var type: String?
        var zone: String?
        var metadata = JSONObject()
        var snapshotID: String?
        var sourceID: String?
        var groupID: String?
        var backupID: String?
        /// The id or the name of an image.
        var image: String?
        var hints = Hints()
    }

    /// The scheduler hints that are understood; all others are ignored.
    struct Hints: Sendable {
        var sameHost: [String] = []
        var differentHost: [String] = []
    }

    let service: VolumeService
    private var context: BlockStorageContext { service.context }

    func create(_ wish: Wish, by caller: Caller) async throws -> VolumeView {
        try caller.require(wish.image == nil ? .createVolume : .createFromImage)
        let named = [wish.snapshotID, wish.image, wish.sourceID, wish.backupID].compactMap(\.self)
        guard named.count <= 1 else {
            throw VolumeRefusal.input("May specify only one of backup, imageRef, snapshot, source volume")
        }
        let image: VolumeImageFacts? =
            if let text = wish.image { try await self.image(text, by: caller) } else { nil }
        await context.needs.hosts.refresh()
        let id = ID<Kind.Volume>(context.world.random.uuid())
        return try await context.write { tx in
            let plan = try plan(wish, image, by: caller, in: tx)
            return try insert(plan, id, by: caller, in: tx)
        }
    }

    /// Makes a volume for a server.
    ///
    /// - Parameter host: the host whose machine is going to use the volume.
    func create(_ new: NewVolume, for host: String, by caller: Caller) async throws {
        var wish = Wish()
        (wish.size, wish.type) = (new.sizeGiB, new.type)
        switch new.source {
        case .nothing: break
        case .image(let id): wish.image = id.text
        case .snapshot(let id): wish.snapshotID = id.text
        }
        let image: VolumeImageFacts? =
            if let text = wish.image { try await self.image(text, by: caller) } else { nil }
        let isNear = context.needs.hosts.pools().contains { $0.host == host }
        try await context.write { [wish] tx in
            var plan = try plan(wish, image, by: caller, in: tx)
            if plan.terms.host == nil, isNear { plan.terms.host = host }
            _ = try insert(plan, new.id, by: caller, in: tx)
        }
    }

    /// Makes a volume of a new group: a copy of a volume or a snapshot, beside it.
    func create(
        _ content: CreateVolume.Content, in group: VolumeGroup, by caller: Caller, _ tx: Transaction
    ) throws {
        var wish = Wish()
        switch content {
        case .snapshot(let id): wish.snapshotID = id.text
        case .volume(let id): wish.sourceID = id.text
        case .image, .nothing: break
        }
        var plan = try plan(wish, nil, by: caller, in: tx)
        plan.put(in: group)
        _ = try insert(plan, ID(context.world.random.uuid()), by: caller, in: tx)
    }

    /// Makes a volume that gets the content of a backup, and begins to restore it.
    func create(
        _ id: ID<Kind.Volume>, from backup: VolumeBackup, named name: String, by caller: Caller, in tx: Transaction
    ) throws -> VolumeView {
        try caller.require(.createVolume)
        var wish = Wish()
        (wish.name, wish.description) = (name, BackupRestoring.newDescription)
        (wish.size, wish.backupID) = (backup.size, backup.id.text)
        var plan = try plan(wish, nil, by: caller, in: tx)
        plan.status = .restoringBackup
        return try insert(plan, id, by: caller, in: tx)
    }

    // MARK: The image

    private func image(_ text: String, by caller: Caller) async throws -> VolumeImageFacts {
        // Compute writes the whole URL of an image.
        let last = String(text.split(separator: "/").last ?? "")
        if UUIDText.normal(last) != nil {
            do {
                return try await context.needs.images.image(ID(last), for: caller.principal)
            } catch let error as CloudError where error.kind == .notFound || error.kind == .forbidden {}
        }
        let found = try await context.needs.images.images(named: text, for: caller.principal)
        guard found.count <= 1 else {
            throw CloudError.conflict("Multiple matches found for '\(text)', use an ID to be more specific.")
        }
        guard let id = found.first else {
            throw CloudError.badRequest("Invalid image identifier or unable to access requested image.")
        }
        return try await context.needs.images.image(id, for: caller.principal)
    }

    /// Checks that an image fits a volume.
    static func check(_ image: VolumeImageFacts, fits size: Int) throws {
        guard image.isActive else { throw VolumeRefusal.input("Image \(image.id) is not active.") }
        let gib = Int((image.sizeBytes + (1 << 30) - 1) >> 30)
        guard gib <= size else {
            throw VolumeRefusal.input("Size of specified image \(gib)GB is larger than volume size \(size)GB.")
        }
        guard size >= image.minDiskGiB else {
            throw VolumeRefusal.input(
                "Volume size \(size)GB cannot be smaller than the image minDisk size \(image.minDiskGiB)GB.")
        }
        let virtual = Int(((image.virtualBytes ?? 0) + (1 << 30) - 1) >> 30)
        guard virtual <= size else {
            throw CloudError.badRequest(
                "Image \(image.id) is unacceptable: Image virtual size is \(virtual)GB and doesn't fit in a volume of "
                    + "size \(size)GB.")
        }
    }

    /// Returns the properties that a volume keeps of its image.
    static func metadata(of image: VolumeImageFacts) -> JSONObject {
        var kept = JSONObject(
            image.properties.sorted { $0.key < $1.key }.map { ($0.key, JSON.string($0.value)) })
        kept["image_id"] = .string(image.id.text)
        kept["image_name"] = .string(image.name)
        if let checksum = image.checksum { kept["checksum"] = .string(checksum) }
        if let format = image.containerFormat { kept["container_format"] = .string(format) }
        if let format = image.diskFormat { kept["disk_format"] = .string(format) }
        kept["min_disk"] = .string("\(image.minDiskGiB)")
        kept["min_ram"] = .string("\(image.minMemoryMiB)")
        kept["size"] = .string("\(image.sizeBytes)")
        return kept
    }

    // MARK: The plan

    /// Everything that is known of the new volume.
    private struct Plan {
        var wish: Wish
        var size: Int
        var type: VolumeType
        var content = CreateVolume.Content.nothing
        /// The backup whose content the volume gets; nil for another content.
        var backup: VolumeBackup?
        var status = VolumeStatus.creating
        var terms = CreateVolume.Terms()
        var zone: String?
        var isBootable = false
        var imageMetadata = JSONObject()
        var groupID: ID<VolumeGroup>?

        /// Takes the pool and the zone of a group.
        mutating func put(in group: VolumeGroup) {
            groupID = group.id
            (zone, terms.zones) = (group.zone, group.zone.map { [$0] })
            terms.place = group.place?.text
        }
    }

    private func plan(
        _ wish: Wish, _ image: VolumeImageFacts?, by caller: Caller, in tx: Transaction
    ) throws -> Plan {
        let named = try wish.type.flatMap { text in
            try text.isEmpty ? nil : service.typeRules.require(text, by: caller, in: tx)
        }
        let snapshot = try wish.snapshotID.map { try SnapshotRules().require(ID($0), by: caller, in: tx) }
        let source = try wish.sourceID.map { try service.require(ID($0), by: caller, in: tx) }
        let type = try type(named, source, snapshot, image, by: caller, in: tx)
        let backup = try wish.backupID.map { try BackupRules().require(ID($0), by: caller, in: tx) }
        let size = try Self.size(wish.size ?? backup?.size, source, snapshot)
        var plan = Plan(wish: wish, size: size, type: type)
        if let backup {
            try Self.require(backup, fits: size)
            plan.backup = backup
        }
        if let snapshot {
            guard snapshot.status == .available else {
                throw VolumeRefusal.snapshot("Originating snapshot status must be one of 'available' values")
            }
            let volume = try service.volumes.find(snapshot.volumeID, in: tx)
            (plan.content, plan.terms.host, plan.zone) = (.snapshot(snapshot.id), volume?.host, volume?.zone)
            (plan.isBootable, plan.imageMetadata) = (snapshot.isBootable, snapshot.imageMetadata)
        }
        if let source {
            guard [.available, .inUse].contains(source.status) else {
                throw VolumeRefusal.volume("Originating source volume status must be one of 'available, in-use' values")
            }
            (plan.content, plan.terms.host, plan.zone) = (.volume(source.id), source.host, source.zone)
            (plan.isBootable, plan.imageMetadata) = (source.isBootable, source.imageMetadata)
        }
        if let image {
            try Self.check(image, fits: plan.size)
            (plan.content, plan.isBootable) = (.image(image.id), true)
            plan.imageMetadata = Self.metadata(of: image)
        }
        let group = try wish.groupID.map { try GroupRules().requireOpen($0, for: named, by: caller, in: tx) }
        // A volume of a group is where the group is, whatever zone was asked for.
        if let zone = group?.zone { plan.wish.zone = zone }
        try placeZone(&plan, isCopy: snapshot != nil || source != nil)
        if let group { plan.put(in: group) }
        plan.terms.sameHost = wish.hints.sameHost.isEmpty ? nil : wish.hints.sameHost
        plan.terms.differentHost = wish.hints.differentHost
        return plan
    }

    private static func require(_ backup: VolumeBackup, fits size: Int) throws {
        guard backup.status == .available, backup.manifestID != nil else {
            throw VolumeRefusal.backup("Originating backup status must be one of 'available' values")
        }
        guard size >= backup.size else {
            throw VolumeRefusal.input(
                "Volume size \(size)GB cannot be smaller than the backup size \(backup.size)GB. It must be >= backup "
                    + "size.")
        }
    }

    private static func size(_ wanted: Int?, _ source: Volume?, _ snapshot: VolumeSnapshot?) throws -> Int {
        guard let size = wanted ?? snapshot?.size ?? source?.size else {
            throw VolumeRefusal.input("Volume size 'None' must be an integer and greater than 0")
        }
        if let source, size < source.size {
            throw VolumeRefusal.input(
                "Volume size '\(size)'GB cannot be smaller than original volume size  \(source.size)GB. They must be "
                    + ">= original volume size.")
        }
        if let snapshot, size < snapshot.size {
            throw VolumeRefusal.input(
                "Volume size '\(size)'GB cannot be smaller than the snapshot size \(snapshot.size)GB. They must be >= "
                    + "original snapshot size.")
        }
        return size
    }

    /// Returns the volume's type: the named one, else that of the content, else the usual one.
    private func type(
        _ named: VolumeType?, _ source: Volume?, _ snapshot: VolumeSnapshot?, _ image: VolumeImageFacts?,
        by caller: Caller, in tx: Transaction
    ) throws -> VolumeType {
        if let named { return named }
        if let id = source?.typeID ?? snapshot?.typeID, let type = try service.types.find(id, in: tx) { return type }
        if let text = image?.properties["cinder_img_volume_type"] {
            return try service.typeRules.require(text, by: caller, in: tx)
        }
        return try service.typeRules.usual(for: caller.projectID, in: tx)
    }

    private func placeZone(_ plan: inout Plan, isCopy: Bool) throws {
        let known = Set(context.needs.hosts.pools().map(\.zone)).union([Self.usualZone])
        let possible = plan.type.zones.map { $0.intersection(known) } ?? known
        guard !possible.isEmpty else {
            let zones = (plan.type.zones ?? []).sorted().map { "'\($0)'" }.joined(separator: ", ")
            throw CloudError.badRequest("Volume type is only supported in these availability zones: [\(zones)]")
        }
        let origin = plan.zone
        plan.zone = plan.wish.zone ?? origin ?? (plan.type.zones == nil ? Self.usualZone : nil)
        if let zone = plan.zone {
            guard possible.contains(zone) else {
                throw CloudError.badRequest("Availability zone '\(zone)' is invalid.")
            }
            if isCopy, let origin, origin != zone {
                let words = if case .snapshot = plan.content { "snapshot" } else { "source volume" }
                throw VolumeRefusal.input("Volume must be in the same availability zone as the \(words)")
            }
        }
        plan.terms.zones = plan.zone.map { [$0] } ?? possible.sorted()
    }

    /// The zone of pools and volumes about which nothing else is said.
    static let usualZone = "nova"

    // MARK: The row

    private func insert(
        _ plan: Plan, _ id: ID<Kind.Volume>, by caller: Caller, in tx: Transaction
    ) throws -> VolumeView {
        if plan.type.isMultiattach { try caller.require(.createMultiattach) }
        try TypeSizes.check(plan.size, of: plan.type)
        var addition = QuotaCheck.Addition(volumes: 1, gigabytes: plan.size, type: plan.type)
        addition.requested = plan.size
        try QuotaCheck().require(addition, of: caller.projectID, in: tx)
        var volume = Volume(
            id: id, projectID: caller.projectID, userID: caller.userID, size: plan.size, typeID: plan.type.id,
            createdAt: context.world.now)
        (volume.name, volume.description, volume.zone) = (plan.wish.name, plan.wish.description, plan.zone)
        (volume.groupID, volume.status) = (plan.groupID, plan.status)
        (volume.metadata, volume.imageMetadata) = (plan.wish.metadata, plan.imageMetadata)
        (volume.isBootable, volume.isMultiattach) = (plan.isBootable, plan.type.isMultiattach)
        switch plan.content {
        case .snapshot(let id): volume.snapshotID = id
        case .volume(let id): volume.sourceID = id
        case .image, .nothing: break
        }
        try service.volumes.insert(volume, in: tx)
        if let backup = plan.backup {
            try BackupRestoring(volumes: service).begin(backup, into: volume, terms: plan.terms, by: caller, in: tx)
            return VolumeView(volume: volume, typeName: plan.type.name)
        }
        try context.start(
            CreateVolume.self, .init(volumeID: id, content: plan.content, terms: plan.terms), on: volume.resource,
            by: caller, in: tx)
        return VolumeView(volume: volume, typeName: plan.type.name)
    }
}
