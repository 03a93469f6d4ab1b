import CloudCore
import Durable
import HostModel
import SQL

// As with a snapshot, the image was queued before the user was answered. The disk of a paused or suspended guest is
// copied without stopping the machine first; the contents of its memory are lost.
//
//   undone      (shelving)                       the image is deleted
// 1 intend      (shelving)                       the machine's generation is raised
// 2 stop        (shelving)                       the machine is off, if the server was active
// 3 snapshot    (shelving_image_pending_upload)  the host has a copy of the root disk; the undo removes it
// 4 upload      (shelving_image_uploading)       the image has the copy's bytes
// 5 clean-up    (shelving_image_uploading)       the copy is removed
//   point of no return: the image has all data
// 6 switch-off  (shelving_image_uploading)       the machine is off
// 7 shelve      (shelving_image_uploading)       the row says shelved
// 8 remove      (shelving_offloading)            the host has removed the machine, if the server is offloaded at once
// 9 offload     (shelving_offloading)            the row says shelved_offloaded; share and binding are released

struct ShelveServer: ServerWorkflow {
    struct Input: Codable, CopyInput {
        var serverID: ID<Kind.Server>
        var image: NewImage
        /// Whether the server leaves its host at once.
        var offloads: Bool
    }

    struct State: CopyState {
        var intent: Intent?
        var snapshot: DiskSnapshot?
    }

    static let kind: WorkflowKind = "compute.server.shelve"

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
            if run.input.offloads { try run.offload(run.input.serverID, in: tx) }
        }
    }

    private static var wasActive: Condition { { state, _ in try state.wanted().server.state == .active } }
}

//   point of no return: the image has all data
// 1 intend   (shelving_offloading)  the machine's generation is raised
// 2 remove   (shelving_offloading)  the host has removed the machine
// 3 offload  (shelving_offloading)  the row says shelved_offloaded; share and binding are released

struct OffloadServer: ServerWorkflow {
    struct Input: Codable, PlainServerInput { var serverID: ID<Kind.Server> }
    struct State: IntentState { var intent: Intent? }
    static let kind: WorkflowKind = "compute.server.shelve-offload"

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .shelvingOffloading) { state, run, tx in
            state.intent = try run.world.intend(run.input.serverID, in: tx)
        }
        tearDown("remove", shows: .shelvingOffloading) { state, _ in [try state.wanted().host] }
        Local("offload", shows: .shelvingOffloading) { _, run, tx in try run.offload(run.input.serverID, in: tx) }
    }
}

extension Run where W.Needs == ServerWorld {
    /// Releases the server's share and its ports' binding, keeps its volumes reserved, and sets its state to
    /// `shelved_offloaded` without a host.
    func offload(_ id: ID<Kind.Server>, in tx: Transaction) throws {
        try world.placement.release(Server.consumer(of: id), in: tx)
        try world.networking.bind(server: id, to: "", in: tx)
        try renewVolumes(of: id, in: tx)
        try world.change(id, in: tx) { server in
            (server.state, server.power, server.host) = (.shelvedOffloaded, .none, nil)
        }
    }
}
