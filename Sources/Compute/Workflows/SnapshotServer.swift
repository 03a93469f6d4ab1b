import CloudCore
import Durable
import HostModel

// The image was queued before the user was answered, and the user may have deleted it since. Then there is nothing to
// fill, and the image must not be created again.
//
//   undone    (image_snapshot_pending)  the image is deleted, also if the workflow is cancelled before its first step
// 1 intend    (image_snapshot_pending)  the machine's generation is raised
// 2 snapshot  (image_snapshot)          the host has a copy of the root disk; the undo removes it
// 3 upload    (image_uploading)         the image has the copy's bytes
// 4 clean-up  (image_uploading)         the copy is removed
// 5 rotate    (image_uploading)         only as many backups of this kind exist as are to be kept
//
// A backup shows image_backup instead of image_snapshot_pending.

/// The reason for which a server's disk is copied.
protocol CopyPurpose: Sendable {
    static var kind: WorkflowKind { get }
    static var shows: ShownState { get }
}

enum SnapshotPurpose: CopyPurpose {
    static let kind: WorkflowKind = "compute.server.snapshot"
    static let shows = ShownState.snapshotPending
}

enum BackupPurpose: CopyPurpose {
    static let kind: WorkflowKind = "compute.server.backup"
    static let shows = ShownState.backup
}

typealias SnapshotServer = CopyServer<SnapshotPurpose>
typealias BackupServer = CopyServer<BackupPurpose>

struct CopyServer<Purpose: CopyPurpose>: ServerWorkflow {
    struct Input: Codable, CopyInput {
        /// The kind of the backup, and the number of backups of this kind that are kept.
        struct Rotation: Codable, Sendable {
            var kind: String
            var most: Int
        }

        var serverID: ID<Kind.Server>
        var image: NewImage
        var rotation: Rotation?
    }

    struct State: CopyState {
        var intent: Intent?
        var snapshot: DiskSnapshot?
    }

    static var kind: WorkflowKind { Purpose.kind }

    static var steps: Steps<Self> {
        keepImage(shows: Purpose.shows)
        intend(shows: Purpose.shows, checksState: true)
        copyDisk(shows: .snapshot)
        fillImage(shows: .imageUploading)
        removeCopy(shows: .imageUploading)
        Remote("rotate", shows: .imageUploading) { _, run in
            guard let rotation = run.input.rotation else { return }
            let (images, principal) = (run.world.images, try run.requirePrincipal())
            let all = try await images.backups(of: run.input.serverID, kind: rotation.kind, for: principal)
            for id in all.dropFirst(rotation.most) {
                do {
                    try await images.delete(id, for: principal)
                } catch let error as CloudError where !error.isTransient {
                    // A backup that is protected or in use stays. That does not affect the new one.
                    continue
                }
            }
        }
    }
}
