import CloudCore
import Durable
import HostModel
import SQL

// The image was queued before the user was answered, as that of a snapshot is. A guest that is paused or suspended stands still, so its
// disk is copied as it is; what was in its memory is lost with it.
//
//   undone      (shelving)                       the image is gone
// 1 intend      (shelving)                       what is wanted of the machine has another number
// 2 stop        (shelving)                       its machine is off, if it ran
// 3 snapshot    (shelving_image_pending_upload)  a copy of the root disk on the host; undone, it is gone
// 4 upload      (shelving_image_uploading)       the image has the copy's bytes
// 5 clean-up    (shelving_image_uploading)       the copy is gone
//   point of no return: the image has all that there is
// 6 switch-off  (shelving_image_uploading)       its machine is off
// 7 shelve      (shelving_image_uploading)       the row says shelved
// 8 remove      (shelving_offloading)            its host has nothing of it, where shelved servers do not stay
// 9 offload     (shelving_offloading)            the row says so; its share and its ports' binding are given back

struct ShelveServer: Workflow {
    struct Input: Codable, CopyInput {
        var serverID: ID<Kind.Server>
        var image: NewImage
        /// Whether it leaves its host at once.
        var offloads: Bool
    }

    struct State: Codable, CopyState {
        var intent: Intent?
        var snapshot: DiskSnapshot?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.shelve"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        keepImage(shows: .shelving)
        intend(shows: .shelving)
        stop(shows: .shelving, if: wasActive, startsAgain: wasActive)
        copyDisk(shows: .shelvingPending)
        fillImage(shows: .shelvingUploading)
        removeCopy(shows: .shelvingUploading)
        PointOfNoReturn()
        stopForGood("switch-off", shows: .shelvingUploading, graceSeconds: 0)
        Local("shelve", shows: .shelvingUploading) { _, run, tx in
            try run.world.change(run.input.serverID, in: tx) { server in
                (server.state, server.power, server.shelvedImage) = (.shelved, .off, run.input.image.id)
            }
        }
        tearDown("remove", shows: .shelvingOffloading) { state, input in input.offloads ? [try state.wanted().host] : [] }
        Local("offload", shows: .shelvingOffloading) { _, run, tx in
            if run.input.offloads { try run.world.offload(run.input.serverID, in: tx) }
        }
    }

    private static var wasActive: Condition { { state, _ in try state.wanted().server.state == .active } }
}

//   point of no return: the image has all that there is
// 1 intend   (shelving_offloading)  the machine is wanted no more
// 2 remove   (shelving_offloading)  its host has nothing of it
// 3 offload  (shelving_offloading)  the row says so; its share and its ports' binding are given back

struct OffloadServer: Workflow {
    struct Input: Codable, PlainServerInput { var serverID: ID<Kind.Server> }
    struct State: Codable, IntentState { var intent: Intent? }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.shelve-offload"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .shelvingOffloading) { state, run, tx in
            state.intent = try run.world.intend(run.input.serverID, in: tx)
        }
        tearDown("remove", shows: .shelvingOffloading) { state, _ in [try state.wanted().host] }
        Local("offload", shows: .shelvingOffloading) { _, run, tx in try run.world.offload(run.input.serverID, in: tx) }
    }
}

extension ServerWorld {
    /// The server has no host any longer.
    fileprivate func offload(_ id: ID<Kind.Server>, in tx: Transaction) throws {
        try placement.release(Server.consumer(of: id), in: tx)
        try networking.bind(server: id, to: "", in: tx)
        try change(id, in: tx) { server in
            (server.state, server.power, server.host) = (.shelvedOffloaded, .none, nil)
        }
    }
}
