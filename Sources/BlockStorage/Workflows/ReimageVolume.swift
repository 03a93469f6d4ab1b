import CloudCore
import Durable
import HostModel

//   undone   the volume is in error and has no bytes, and a message says why
// 1 intend  (downloading)  the number of the change is raised
// 2 clear   (downloading)  the host has removed the old bytes; no undo brings them back
// 3 make    (downloading)  the volume has the bytes of the image
// 4 finish                 the volume has its former state

struct ReimageVolume: VolumeWorkflow {
    struct Input: VolumeInput {
        var volumeID: ID<Kind.Volume>
        var imageID: ID<Kind.Image>
    }

    typealias State = WantedState
    static let kind: WorkflowKind = "volume.reimage"

    static var steps: Steps<Self> {
        whenUndone(.reimage, .notReimaged) { ($0.status, $0.previousStatus) = (.error, nil) }
        Local("intend") { state, run, tx in
            // A host takes a volume again only for a newer change than the one that removed it.
            let volume = try run.world.change(run.input.volumeID, in: tx) { $0.generation += 2 }
            state.wanted = try Wanted(volume, type: try run.world.types.find(volume.typeID, in: tx))
        }
        Remote("clear", deadline: .seconds(600)) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let fence = run.fence(wanted.generation - 1)
            try await run.world.hosts.remove(wanted.spec.id, on: wanted.host, fence: fence)
        }
        Remote("make", deadline: CreateVolume.copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            let content = try await run.world.content(.image(run.input.imageID))
            try await run.fill(wanted, with: content)
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.world.hosts.remove(wanted.spec.id, on: wanted.host, fence: run.fence(wanted.generation))
        }
        Local("finish") { _, run, tx in
            try run.world.change(run.input.volumeID, in: tx) { volume in
                let former = volume.previousStatus ?? .available
                (volume.status, volume.previousStatus) = (former == .error ? .available : former, nil)
            }
        }
    }
}
