import CloudCore
import Durable
import HostModel
import SQL

//   undone   the volume is in error, its room is free, and a message says why
// 1 place    (creating, downloading)  the volume has a pool
// 2 make     (creating, downloading)  the host has the bytes; the undo removes them
// 3 finish   (available)              the volume can be used

struct CreateVolume: VolumeWorkflow {
    struct Input: Codable, Sendable {
        var volumeID: ID<Kind.Volume>
        var content: Content
        var terms: Terms
    }

    /// The thing that the volume is made of.
    enum Content: Codable, Sendable {
        case nothing
        case image(ID<Kind.Image>)
        case volume(ID<Kind.Volume>)
        case snapshot(ID<Kind.Snapshot>)
    }

    /// The demands on the volume's pool that do not follow from its type.
    struct Terms: Codable, Sendable {
        /// The zones in which the volume may be; nil for all.
        var zones: [String]?
        /// The host that has the content; nil if any host can have it.
        var host: String?
        /// The pool of the volume's group; nil if any pool can have the volume.
        var place: String?
        /// The volumes near which the volume is wanted, and those whose pools are to be avoided.
        var sameHost: [String]?
        var differentHost: [String] = []
    }

    typealias State = WantedState
    static let kind: WorkflowKind = "volume.create"

    /// The longest time of a copy.
    static let copyDeadline = Duration.seconds(12 * 3600)

    static var steps: Steps<Self> {
        WhenUndone("accept") { _, run, tx in
            guard let volume = try run.world.undone(run.input.volumeID, in: tx) else { return }
            let isImage = if case .image = run.input.content { true } else { false }
            try run.world.tell(
                isImage ? .copyFromImage : .createFromBackend, .notCreated, about: volume, run, in: tx)
            try run.world.settleGroup(of: try run.world.change(volume.id, in: tx) { $0.status = .error }, in: tx)
        }
        Local("place") { state, run, tx in
            let volume = try run.world.require(run.input.volumeID, in: tx)
            let type = try run.world.types.find(volume.typeID, in: tx).required("type", from: "start")
            let wish = try run.world.wish(volume, type, run.input.terms, in: tx)
            let place = try run.world.picker.pick(wish, in: tx)
            let placed = try run.world.change(volume.id, in: tx) { volume in
                (volume.host, volume.pool) = (place.host, place.pool)
                volume.zone = volume.zone ?? run.world.zone(of: place)
                volume.generation += 1
                if case .image = run.input.content { volume.status = .downloading }
            }
            state.wanted = try Wanted(placed, type: type)
        } undo: { _, run, tx in
            try run.world.changeBack(run.input.volumeID, in: tx) { ($0.host, $0.pool) = (nil, nil) }
        }
        Remote("make", deadline: copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "place")
            let content = try await run.world.content(run.input.content)
            try await run.fill(wanted, with: content)
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "place")
            try await run.world.hosts.remove(wanted.spec.id, on: wanted.host, fence: run.fence(wanted.generation))
        }
        Local("finish") { _, run, tx in
            let volume = try run.world.change(run.input.volumeID, in: tx) { volume in
                // A server may have reserved the volume while an image was copied into it.
                if [.creating, .downloading].contains(volume.status) { volume.status = .available }
                volume.launchedAt = run.world.now
            }
            try run.world.settleGroup(of: volume, in: tx)
        }
    }
}

extension VolumeWorld {
    /// Returns the demands on the pool of a new volume.
    func wish(
        _ volume: Volume, _ type: VolumeType, _ terms: CreateVolume.Terms, in tx: Transaction
    ) throws -> PoolWish {
        var wish = PoolWish(size: volume.size, type: type)
        wish.zones = terms.zones.map(Set.init)
        (wish.only, wish.place) = (terms.host, terms.place)
        if let same = terms.sameHost { wish.sameAs = try volumes.places(of: same, in: tx) }
        wish.differentFrom = try volumes.places(of: terms.differentHost, in: tx)
        return wish
    }

    /// Returns the content as a host understands it.
    func content(_ content: CreateVolume.Content) async throws -> VolumeContent {
        switch content {
        case .nothing: .nothing
        case .image(let id): .image(try await images.machineImage(id).reference)
        case .volume(let id): .volume(id)
        case .snapshot(let id): .snapshot(id)
        }
    }

    func zone(of place: PoolName) -> String? { hosts.pools().first { $0.name == place }?.zone }
}
