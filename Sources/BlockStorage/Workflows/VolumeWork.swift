import Durable

/// All workflows of Block Storage.
enum VolumeWork {
    static let types: [any Workflow.Type] = all.map(\.type)

    static func definitions(_ world: VolumeWorld) -> [WorkflowDefinition] { all.map { $0.definition(world) } }

    private struct Entry: Sendable {
        let type: any Workflow.Type
        let definition: @Sendable (VolumeWorld) -> WorkflowDefinition

        init<W: Workflow>(_ workflow: W.Type) where W.Needs == VolumeWorld {
            type = workflow
            definition = { WorkflowDefinition(workflow, needs: $0) }
        }
    }

    private static let all = [
        Entry(CreateVolume.self), Entry(DeleteVolume.self), Entry(ExtendVolume.self), Entry(RevertVolume.self),
        Entry(UploadVolume.self), Entry(ReimageVolume.self), Entry(CreateSnapshot.self), Entry(DeleteSnapshot.self),
        Entry(ManageVolume.self), Entry(UnmanageVolume.self), Entry(ManageSnapshot.self), Entry(UnmanageSnapshot.self),
        Entry(MigrateVolume.self), Entry(CreateBackup.self), Entry(RestoreBackup.self), Entry(DeleteBackup.self),
    ]
}
