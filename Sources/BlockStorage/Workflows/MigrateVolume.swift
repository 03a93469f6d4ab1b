import CloudCore
import Durable
import HostModel

//   undone   the volume is where it was and has its former state and type, and a message says why
// 1 place   (migrating)  the volume has a pool to go to
// 2 move    (migrating)  the bytes are in that pool; the undo brings them back
// 3 finish  (success)    the volume has its new place, its new type and its former state

/// A workflow that brings a volume into another pool of its host, and gives it another type if that is asked for.
struct MigrateVolume: VolumeWorkflow {
    struct Input: VolumeInput {
        var volumeID: ID<Kind.Volume>
        /// The pool to go to, as `host@backend#pool`; nil for the best one.
        var target: String?
        /// The type that the volume gets; nil to keep its own.
        var typeID: ID<VolumeType>?
    }

    struct State: WorkflowState {
        /// The volume as it was, and as it is going to be.
        var former: Wanted?
        var wanted: Wanted?
    }

    static let kind: WorkflowKind = "volume.migrate"

    static var steps: Steps<Self> {
        whenUndone(.createFromBackend, .notCreated) { volume in
            volume.migration = Volume.Migration.error
            volume.endMigration()
        }
        Local("place") { state, run, tx in
            let volume = try run.world.require(run.input.volumeID, in: tx)
            let old = try run.world.types.find(volume.typeID, in: tx).required("type", from: "start")
            let new = try run.input.typeID.map { id in
                try run.world.types.find(id, in: tx).required("type", from: "start")
            }
            let wish = try Self.wish(volume, type: new ?? old, target: run.input.target)
            let place = try run.world.picker.pick(wish, in: tx)
            let changed = try run.world.change(volume.id, in: tx) { volume in
                volume.migration = Volume.Migration.migrating
                volume.generation += 1
            }
            state.former = try Wanted(changed, type: old)
            var wanted = try Wanted(changed, type: new ?? old)
            wanted.spec.pool = place.pool
            state.wanted = wanted
        }
        Remote("move", deadline: CreateVolume.copyDeadline) { state, run in
            try await run.move(to: try state.wanted.required("wanted", from: "place"))
        } undo: { state, run in
            try await run.move(to: try state.former.required("former", from: "place"))
        }
        Local("finish") { state, run, tx in
            let wanted = try state.wanted.required("wanted", from: "place")
            let place = PoolName(host: wanted.host, pool: wanted.spec.pool)
            let type = try run.input.typeID.flatMap { try run.world.types.find($0, in: tx) }
            try run.world.change(run.input.volumeID, in: tx) { volume in
                (volume.host, volume.pool) = (place.host, place.pool)
                volume.zone = run.world.zone(of: place) ?? volume.zone
                if let type { (volume.typeID, volume.isMultiattach) = (type.id, type.isMultiattach) }
                volume.migration = Volume.Migration.success
                volume.endMigration()
            }
        }
    }

    /// Returns the demands on the pool to go to: one of the volume's own host, because its bytes are there.
    static func wish(_ volume: Volume, type: VolumeType, target: String?) throws -> PoolWish {
        let host = try volume.host.required("host", from: "start")
        var wish = PoolWish(size: volume.size, type: type)
        (wish.only, wish.place, wish.zones) = (host, target, type.zones)
        wish.former = volume.pool.map { PoolName(host: host, pool: $0) }
        return wish
    }
}

extension Run where W == MigrateVolume {
    /// Brings the bytes into a pool, and returns when they are whole there.
    fileprivate func move(to wanted: Wanted) async throws {
        let begun = try await world.hosts.move(
            wanted.spec.id, to: wanted.spec.pool, isThin: wanted.spec.isThin, on: wanted.host,
            fence: fence(wanted.generation))
        try await awaitWhole(begun, of: wanted)
    }
}
