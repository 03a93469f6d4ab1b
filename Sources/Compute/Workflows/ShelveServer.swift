import CloudCore
import Durable
import SQL

// The image was queued before the user was answered, as that of a snapshot is. A guest that is paused or suspended stands still, so its
// disk is copied as it is; what was in its memory is lost with it.
//
// 1 keep        (shelving)                       nothing; undone, the image is gone
// 2 intend      (shelving)                       what is wanted of the machine has another number
// 3 stop        (shelving)                       its machine is off, if it ran
// 4 snapshot    (shelving_image_pending_upload)  a copy of the root disk on the host; undone, it is gone
// 5 upload      (shelving_image_uploading)       the image has the copy's bytes
// 6 clean-up    (shelving_image_uploading)       the copy is gone
//   point of no return: the image has all that there is
// 7 switch-off  (shelving_image_uploading)       its machine is off
// 8 shelve      (shelving_image_uploading)       the row says shelved
// 9 remove      (shelving_offloading)            its host has nothing of it, where shelved servers do not stay
// 10 offload    (shelving_offloading)            the row says so; its share and its ports' binding are given back

struct ShelveServer: Workflow {
    struct Input: Codable, CopyInput {
        var serverID: ID<Server>
        var image: NewImage
        /// Whether it leaves its host at once.
        var offloads: Bool
    }

    struct State: Codable, CopyState {
        var intent: Intent?
        var snapshot: MachineSnapshot?
    }

    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.shelve"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        keepImage(shows: .shelving)
        Local("intend", shows: .shelving) { state, run, tx in
            state.intent = try run.needs.intend(run.input.serverID, in: tx)
        }
        Remote("stop", shows: .shelving, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent, intent.server.state == .active else { return }
            try await run.needs.command(.stop(graceSeconds: 60), intent, run.epoch)
        } undo: { state, run in
            guard let intent = state.intent, intent.server.state == .active else { return }
            try await run.needs.goOn(.start, intent, run.epoch)
        }
        copyDisk(shows: .shelvingPending)
        fillImage(shows: .shelvingUploading)
        removeCopy(shows: .shelvingUploading)
        PointOfNoReturn()
        Remote("switch-off", shows: .shelvingUploading, deadline: .seconds(300)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.stop(intent, graceSeconds: 0, run.epoch)
        }
        Local("shelve", shows: .shelvingUploading) { _, run, tx in
            try run.needs.change(run.input.serverID, in: tx) { server in
                (server.state, server.power, server.shelvedImage) = (.shelved, .off, run.input.image.id)
            }
        }
        Remote("remove", shows: .shelvingOffloading, deadline: .seconds(600)) { state, run in
            guard let intent = state.intent, run.input.offloads else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("offload", shows: .shelvingOffloading) { _, run, tx in
            if run.input.offloads { try run.needs.offload(run.input.serverID, in: tx) }
        }
    }
}

//   point of no return: the image has all that there is
// 1 intend   (shelving_offloading)  the machine is wanted no more
// 2 remove   (shelving_offloading)  its host has nothing of it
// 3 offload  (shelving_offloading)  the row says so; its share and its ports' binding are given back

struct OffloadServer: Workflow {
    struct Input: Codable, Sendable { var serverID: ID<Server> }
    struct State: Codable, Sendable { var intent: Intent? }
    typealias Needs = ServerWorld
    static let kind: WorkflowKind = "compute.server.shelve-offload"
    static let version = 1

    static func start(_ input: Input) -> State { State() }

    static var steps: Steps<Self> {
        PointOfNoReturn()
        Local("intend", shows: .shelvingOffloading) { state, run, tx in
            state.intent = try run.needs.intend(run.input.serverID, in: tx)
        }
        Remote("remove", shows: .shelvingOffloading, deadline: .seconds(600)) { state, run in
            guard let intent = state.intent else { return }
            try await run.needs.needs.machines.remove(intent.server.id.text, on: try intent.host, fence: intent.fence(run.epoch))
        }
        Local("offload", shows: .shelvingOffloading) { _, run, tx in try run.needs.offload(run.input.serverID, in: tx) }
    }
}

extension ServerWorld {
    /// The server has no host any longer.
    fileprivate func offload(_ id: ID<Server>, in tx: Transaction) throws {
        try needs.placement.release(id.text, in: tx)
        try needs.networking.bind(server: id.text, to: "", in: tx)
        try change(id, in: tx) { server in
            (server.state, server.power, server.host) = (.shelvedOffloaded, .none, nil)
        }
    }
}
