import CloudCore
import Durable
import HostModel

//   undone   the volume is in error_managing and has no size, the file is as before, and a message says why
// 1 look    (managing)   the host has the file
// 2 claim   (managing)   the volume has the file's size, and the quota has room for it
// 3 adopt   (managing)   the file is the volume; the undo gives it back under its name
// 4 finish  (available)  the volume can be used

/// A workflow that makes a volume of a file of a pool.
struct ManageVolume: VolumeWorkflow {
    struct Input: VolumeInput {
        var volumeID: ID<Kind.Volume>
        /// The file's name, and the host and the pool that have it.
        var file: String
        var host: String
        var pool: String
    }

    struct State: WorkflowState {
        /// The size of the file in bytes.
        var bytes: Int64?
        var wanted: Wanted?
    }

    static let kind: WorkflowKind = "volume.manage"

    static var steps: Steps<Self> {
        whenUndone(.createFromBackend, .notCreated) { volume in
            (volume.status, volume.size, volume.claimedSize) = (.errorManaging, 0, 0)
        }
        Remote("look") { state, run in
            let (file, pool) = (run.input.file, run.input.pool)
            let files = try await run.world.hosts.manageable(in: pool, on: run.input.host)
            guard let found = files.first(where: { $0.name == file }) else {
                throw CloudError.badRequest("There is no file '\(file)' that could become a volume.")
            }
            if let refusal = found.refusal {
                throw CloudError.badRequest("The file '\(file)' cannot become a volume: \(refusal)")
            }
            state.bytes = found.bytes
        }
        Local("claim") { state, run, tx in
            let bytes = try state.bytes.required("bytes", from: "look")
            let volume = try run.world.require(run.input.volumeID, in: tx)
            let type = try run.world.types.find(volume.typeID, in: tx).required("type", from: "start")
            let size = VolumeWorld.gib(bytes)
            try TypeSizes.check(size, of: type)
            var addition = QuotaCheck.Addition(gigabytes: size, type: type)
            addition.requested = size
            try QuotaCheck().require(addition, of: volume.projectID, in: tx)
            var wish = PoolWish(size: size, type: type)
            // The file has its room already.
            wish.isCounted = true
            let place = PoolName(host: run.input.host, pool: run.input.pool)
            try run.world.picker.require(place, for: wish, in: tx)
            let changed = try run.world.change(volume.id, in: tx) { volume in
                (volume.size, volume.claimedSize) = (size, size)
                volume.generation += 1
            }
            state.wanted = try Wanted(changed, type: type)
        }
        Remote("adopt") { state, run in
            let wanted = try state.wanted.required("wanted", from: "claim")
            let begun = try await run.world.hosts.adopt(
                run.input.file, as: wanted.spec, on: wanted.host, fence: run.fence(wanted.generation))
            try await run.awaitWhole(begun, of: wanted)
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "claim")
            try await run.world.release(wanted, as: run.input.file, fence: run.fence(wanted.generation))
        }
        Local("finish") { state, run, tx in
            _ = try state.wanted.required("wanted", from: "claim")
            try run.world.change(run.input.volumeID, in: tx) { volume in
                (volume.status, volume.launchedAt) = (.available, run.world.now)
            }
        }
    }
}

extension VolumeWorld {
    /// Returns the size in GiB that has room for a number of bytes.
    static func gib(_ bytes: Int64) -> Int { Int((bytes + (1 << 30) - 1) >> 30) }

    /// Gives a volume away as a file. Has no effect if there is neither.
    func release(_ wanted: Wanted, as name: String?, fence: Fence) async throws {
        do {
            try await hosts.release(wanted.spec.id, as: name, on: wanted.host, fence: fence)
        } catch let error as CloudError where error.kind == .notFound {}
    }

    /// Gives a snapshot away as a file. Has no effect if there is neither.
    func release(_ id: ID<Kind.Snapshot>, as name: String?, on host: String, fence: Fence) async throws {
        do {
            try await hosts.release(id, as: name, on: host, fence: fence)
        } catch let error as CloudError where error.kind == .notFound {}
    }
}
