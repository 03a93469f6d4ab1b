import CloudCore
import Durable
import HostModel

//   undone   the volume is in error_extending or in use as before, and its claim is as before
// 1 intend   (extending)  the number of the change is raised, and the pool has the room
// 2 grow     (extending)  the host has made the volume larger, also for a guest that uses it
// 3 finish                the volume has its new size and its former state, and the actions on its servers tell of it

struct ExtendVolume: VolumeWorkflow {
    struct Input: VolumeInput {
        var volumeID: ID<Kind.Volume>
        /// The new size in GiB.
        var size: Int
    }

    typealias State = WantedState
    static let kind: WorkflowKind = "volume.extend"

    static var steps: Steps<Self> {
        whenUndone(.extend, .notExtended) { volume in
            // A guest goes on with a volume of the old size, so one in use is not in error.
            volume.status = volume.previousStatus == .inUse ? .inUse : .errorExtending
            (volume.previousStatus, volume.claimedSize) = (nil, volume.size)
        }
        Local("intend") { state, run, tx in
            let volume = try run.world.change(run.input.volumeID, in: tx) { $0.generation += 1 }
            let type = try run.world.types.find(volume.typeID, in: tx).required("type", from: "start")
            if let host = volume.host, let pool = volume.pool {
                var wish = PoolWish(size: run.input.size - volume.size, type: type)
                // The row counts with its new size already.
                wish.isCounted = true
                try run.world.picker.require(PoolName(host: host, pool: pool), for: wish, in: tx)
            }
            state.wanted = try Wanted(volume, type: type)
        }
        Remote("grow", deadline: .seconds(600)) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.world.hosts.grow(
                wanted.spec.id, to: Int64(run.input.size) << 30, on: wanted.host, fence: run.fence(wanted.generation))
        }
        Local("finish") { state, run, tx in
            _ = try state.wanted.required("wanted", from: "intend")
            try run.world.change(run.input.volumeID, in: tx) { volume in
                (volume.size, volume.claimedSize) = (run.input.size, run.input.size)
                (volume.status, volume.previousStatus) = (volume.previousStatus ?? .available, nil)
            }
            let users = try run.world.attachments.list(of: run.input.volumeID, in: tx).compactMap(\.serverID)
            try run.world.servers.note(
                VolumeGrowth(
                    volume: run.input.volumeID, servers: users, principal: run.principal, requestID: run.requestID),
                in: tx)
        }
    }
}
