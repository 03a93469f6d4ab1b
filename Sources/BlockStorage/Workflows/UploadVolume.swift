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
            let wanted = try state.wanted.required("wanted", from: "intend")
            let begun = try await run.export(wanted)
            var last = begun
            try await run.world.awaitWhole(begun.progress) {
                last = try await run.export(wanted)
                return last.progress
            } each: {
                try run.follow($0)
            }
            state.copy = try last.copy.required("copy", from: "copy")
        } undo: { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.forgetExport(wanted)
        }
        Remote("fill", deadline: CreateVolume.copyDeadline) { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.world.images.fill(
                run.input.image.id, with: try state.copy.required("copy", from: "copy"), on: wanted.host,
                for: try run.requirePrincipal())
        }
        Remote("tidy") { state, run in
            let wanted = try state.wanted.required("wanted", from: "intend")
            try await run.forgetExport(wanted)
        }
        Local("finish") { _, run, tx in
            try run.world.changeBack(run.input.volumeID, in: tx) { volume in
                (volume.status, volume.previousStatus) = (volume.previousStatus ?? .available, nil)
            }
        }
    }
}

extension Run where W == UploadVolume {
    /// The fence of the copy. An owner that has lost the workflow has a lower epoch, and after the removal of the copy
    /// no order can make it again.
    private var copyFence: Fence { fence(1) }

    fileprivate func export(_ wanted: Wanted) async throws -> VolumeExport {
        let image = input.image
        return try await world.hosts.export(
            .volume(wanted.spec.id), as: image.id.text, format: image.diskFormat == "qcow2" ? .qcow2 : .raw,
            on: wanted.host, fence: copyFence)
    }

    fileprivate func forgetExport(_ wanted: Wanted) async throws {
        try await world.hosts.forgetExport(input.image.id.text, on: wanted.host, fence: copyFence)
    }
}
