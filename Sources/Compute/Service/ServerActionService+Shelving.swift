import CloudCore
import Durable
import HostModel
import SQL

/// Rescue, which starts a server from another image for a while, and shelving, which leaves a server without a machine.
extension ServerActionService {
    // MARK: Rescue

    /// The first microversion that rescues servers whose root disk is a volume.
    private static let volumeBackedSince = 87

    /// Rescues a server.
    ///
    /// - Parameter imageID: the image to start from; nil for the image that the server was created from.
    func rescue(_ id: ID<Kind.Server>, from imageID: String?, by caller: Caller) async throws {
        let present = try await service.get(id, try RescueServer.rule.policy, by: caller).server
        let refusal = CloudError.badRequest(
            "Instance \(id) cannot be rescued: Cannot rescue a volume-backed instance")
        guard let wanted = imageID.map({ ID($0) }) ?? present.image?.id ?? present.rootVolume?.imageID else {
            throw refusal
        }
        var image = present.image
        if image?.id != wanted {
            do {
                let facts = try await context.needs.images.image(wanted, for: caller.principal)
                guard facts.isActive else { throw CloudError.notFound("image", wanted.text) }
                image = Server.ImageReference(id: facts.id, properties: facts.properties)
            } catch let error as CloudError where error.kind == .notFound {
                throw CloudError.badRequest("Requested rescue image '\(wanted)' is not supported")
            }
        }
        if image?.properties[ImageDevices.mapping] != nil {
            throw CloudError.badRequest("Requested rescue image '\(wanted)' is not supported")
        }
        try await requireVolumesInUse(of: id, .conflict, by: caller)
        if present.rootVolume != nil, caller.minor < Self.volumeBackedSince || image?.isRescueDevice != true {
            throw refusal
        }
        try await service.start(RescueServer.self, on: id, by: caller) { [image] server, _ in
            _ = try server.requireHost()
            return .init(serverID: id, image: image)
        }
    }

    // MARK: Shelves

    func shelve(_ id: ID<Kind.Server>, by caller: Caller) async throws {
        let offloads = context.settings.offloadsShelved
        let present = try await service.get(id, try ShelveServer.rule.policy, by: caller).server
        if present.rootVolume != nil {
            try await service.start(ShelveServerWithVolumes.self, on: id, by: caller) { _, _ in .init(serverID: id) }
            return
        }
        let name = present.name + "-shelved"
        let image = try await newImage(
            id, name, ["image_type": "snapshot"], [:], for: ShelveServer.self, by: caller)
        _ = try await filling(image, by: caller) {
            try await service.start(ShelveServer.self, on: id, by: caller) { _, _ in
                .init(serverID: id, image: image, offloads: offloads)
            }
        }
    }

    /// Unshelves a server.
    ///
    /// - Parameters:
    ///   - zone: the zone to pin the server to; `clear` lets it go to any zone.
    ///   - host: the destination; nil to let the scheduler choose.
    func unshelve(_ id: ID<Kind.Server>, zone change: Update<String>, host: String?, by caller: Caller) async throws {
        let hosts = try await context.hosts.overview()
        try await service.start(UnshelveServer.self, on: id, by: caller) { server, tx in
            var pinned = server.pinnedZone
            change.apply(to: &pinned)
            if change != .keep || host != nil, server.state != .shelvedOffloaded {
                throw CloudError.conflict(
                    "Instance \(id) is \(server.state.rawValue): a zone or a host can be chosen only for one that is shelved_offloaded")
            }
            if case .set(let zone) = change, !hosts.hasUsableHost(in: zone) {
                throw CloudError.badRequest("The requested availability zone is not available")
            }
            if let host {
                try caller.require(.unshelveToHost, projectID: server.projectID)
                guard hosts.isKnown(host) else {
                    throw CloudError.badRequest("Compute host \(host) could not be found.")
                }
                if let pinned, hosts.zone(of: host) != pinned {
                    throw CloudError.conflict("Host \"\(host)\" is not in the availability zone \"\(pinned)\".")
                }
            }
            if pinned != server.pinnedZone {
                server.pinnedZone = pinned
                try service.servers.update(server, in: tx)
            }
            return .init(serverID: id, host: host)
        }
    }
}
