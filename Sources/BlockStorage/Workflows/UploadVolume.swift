import CloudCore
import Durable
import HostModel

//   undone   the volume is as before, there is no image, and a message says why
// 1 reserve  (uploading)  the image exists without data; the undo deletes it
// 2 intend   (uploading)  the place of the bytes is noted
// 3 copy     (uploading)  the host has a flat copy; the undo removes it
// 4 fill     (uploading)  the image has the data
// 5 tidy     (uploading)  the host has no copy any more
// 6 finish                the volume has its former state

struct UploadVolume: VolumeWorkflow {
    struct Input: VolumeInput {
        var volumeID: ID<Kind.Volume>
        var image: VolumeImage
    }

    struct State: WorkflowState {
        var wanted: Wanted?
        var copy: DiskSnapshot?
    }

    static let kind: WorkflowKind = "volume.upload"

    static var steps: Steps<Self> {
        whenUndone(.copyToImage, .upload) { volume in
            (volume.status, volume.previousStatus) = (volume.previousStatus ?? .available, nil)
        }
        Remote("reserve") { _, run in
            try await run.world.images.ensure(run.input.image, for: try run.requirePrincipal())
        } undo: { _, run in
            try await run.world.images.delete(run.input.image.id, for: try run.requirePrincipal())
        }
        Local("intend") { state, run, tx in
            state.wanted = try Wanted(try run.world.require(run.input.volumeID, in: tx), type: nil)
        }
        Remote("copy", deadline: CreateVolume.copyDeadline) { state, run in
            let image = run.input.image
            state.copy = try await run.export(
                .volume(run.input.volumeID), as: image.id.text, image.diskFormat == "qcow2" ? .qcow2 : .raw,
                of: try state.wanted.required("wanted", from: "intend"))
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.forgetExport(run.input.image.id.text, of: wanted)
        }
        Remote("fill", deadline: CreateVolume.copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.world.images.fill(
                run.input.image.id, with: try state.copy.required("copy", from: "copy"), on: wanted.host,
                for: try run.requirePrincipal())
        }
        Remote("tidy") { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.forgetExport(run.input.image.id.text, of: wanted)
        }
        Local("finish") { _, run, tx in
            try run.world.changeBack(run.input.volumeID, in: tx) { volume in
                (volume.status, volume.previousStatus) = (volume.previousStatus ?? .available, nil)
            }
        }
    }
}
