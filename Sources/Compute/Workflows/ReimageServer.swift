import CloudCore
import Durable
import HostModel

// The rebuild of a server whose root disk is a volume: the volume gets the bytes of an image. Its machine is made anew,
// as no host gives a volume other bytes while a machine may use it.
//
// 1 intend   (rebuilding)                    the row has the new attributes; the undo sets it to error
// 2 stop     (rebuilding)                    the machine is off, if its host has it
// 3 remove   (rebuilding)                    the host has removed the machine, which may use no volume any more
// 4 renew    (rebuild_block_device_mapping)  the volumes are reserved for the server, and the copy is begun
// 5 reimage  (rebuild_block_device_mapping)  the root disk has the bytes of the image
// 6 build    (rebuild_spawning)              the machine exists and is off
// 7 boot     (rebuild_spawning)              the machine runs, if it ran before
// 8 finish   (rebuild_spawning)              the row says active or stopped, and the volumes are in use
//
// An undone rebuild leaves the server in error, perhaps without a machine: the bytes of its root disk are lost.

struct ReimageServer: ServerWorkflow {
    struct Input: Codable, Sendable {
        /// The server with the attributes that it is to have.
        var server: Server
        var image: VolumeImageFacts
        var startsAfter: Bool
    }

    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.reimage"

    static var steps: Steps<Self> {
        Local("intend", shows: .rebuilding) { state, run, tx in
            let wanted = run.input.server
            state.intent = try run.world.intend(wanted.id, in: tx) { server in
                server.take(fromRebuild: wanted)
                server.rootVolume = wanted.rootVolume
            }
        } undo: { _, run, tx in
            try run.world.changeBack(run.input.server.id, in: tx) { $0.state = .error }
        }
        stopForGood("stop", shows: .rebuilding, graceSeconds: 0)
        tearDown("remove", shows: .rebuilding) { state, _ in [try state.wanted().host] }
        Local("renew", shows: .rebuildBlockDeviceMapping) { state, run, tx in
            let former = try state.wanted()
            let root = try former.volumes.first(where: \.isRoot).required("root volume", from: "intend")
            try run.renewVolumes(of: former.server.id, in: tx)
            try run.world.volumes.reimage(root.volumeID, from: run.input.image, for: try run.requirePrincipal(), in: tx)
            // A host takes a machine again only for a newer change than the one that removed it.
            state.intent = try run.world.intend(former.server.id, in: tx)
        }
        Remote("reimage", shows: .rebuildBlockDeviceMapping, retry: .whileCopying) { state, run in
            let root = try state.wanted().volumes.first(where: \.isRoot).required("root volume", from: "renew")
            try await run.world.volumes.awaitWhole(root.volumeID)
        }
        build(shows: .rebuildSpawning)
        boot(shows: .rebuildSpawning, on: { state, input in input.startsAfter ? try state.wanted().host : nil })
        Local("finish", shows: .rebuildSpawning) { state, run, tx in
            try run.completeVolumes(of: try state.wanted(), in: tx)
            let starts = run.input.startsAfter
            try run.world.change(run.input.server.id, in: tx) { server in
                (server.state, server.power) = starts ? (.active, .running) : (.stopped, .off)
                server.launchedAt = run.world.now
            }
        }
    }
}
