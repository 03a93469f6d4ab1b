import CloudCore
import Durable

/// All of Compute's workflows.
enum ServerWorkflows {
    static let types: [any Workflow.Type] = [
        CreateServer.self, DeleteServer.self, RebuildServer.self, ResizeServer.self, MigrateServer.self, ConfirmResize.self, RevertResize.self,
        MoveRunningServer.self, RescueServer.self, UnrescueServer.self, ShelveServer.self, OffloadServer.self, UnshelveServer.self,
        EvacuateServer.self, SweepHost.self,
        SnapshotServer.self, BackupServer.self, AttachInterface.self, DetachInterface.self,
        CommandServer<StartVerb>.self, CommandServer<StopVerb>.self, CommandServer<SoftRebootVerb>.self,
        CommandServer<HardRebootVerb>.self, CommandServer<PauseVerb>.self, CommandServer<UnpauseVerb>.self,
        CommandServer<SuspendVerb>.self, CommandServer<ResumeVerb>.self,
    ]

    static func definitions(_ world: ServerWorld) -> [WorkflowDefinition] {
        [
            WorkflowDefinition(CreateServer.self, needs: world), WorkflowDefinition(DeleteServer.self, needs: world),
            WorkflowDefinition(RebuildServer.self, needs: world), WorkflowDefinition(ResizeServer.self, needs: world),
            WorkflowDefinition(MigrateServer.self, needs: world), WorkflowDefinition(MoveRunningServer.self, needs: world),
            WorkflowDefinition(RescueServer.self, needs: world), WorkflowDefinition(UnrescueServer.self, needs: world),
            WorkflowDefinition(ShelveServer.self, needs: world), WorkflowDefinition(OffloadServer.self, needs: world),
            WorkflowDefinition(UnshelveServer.self, needs: world), WorkflowDefinition(EvacuateServer.self, needs: world),
            WorkflowDefinition(SweepHost.self, needs: world),
            WorkflowDefinition(ConfirmResize.self, needs: world), WorkflowDefinition(RevertResize.self, needs: world),
            WorkflowDefinition(SnapshotServer.self, needs: world), WorkflowDefinition(BackupServer.self, needs: world),
            WorkflowDefinition(AttachInterface.self, needs: world),
            WorkflowDefinition(DetachInterface.self, needs: world), WorkflowDefinition(CommandServer<StartVerb>.self, needs: world),
            WorkflowDefinition(CommandServer<StopVerb>.self, needs: world),
            WorkflowDefinition(CommandServer<SoftRebootVerb>.self, needs: world),
            WorkflowDefinition(CommandServer<HardRebootVerb>.self, needs: world),
            WorkflowDefinition(CommandServer<PauseVerb>.self, needs: world),
            WorkflowDefinition(CommandServer<UnpauseVerb>.self, needs: world),
            WorkflowDefinition(CommandServer<SuspendVerb>.self, needs: world),
            WorkflowDefinition(CommandServer<ResumeVerb>.self, needs: world),
        ]
    }

    /// How a workflow gets along with others on the same server.
    enum Manner: Sendable, Equatable {
        /// Others may wait behind it. It leaves the server in the state it finds it in.
        case keeps
        /// Others may wait behind it. It leaves the server in this state.
        case leaves(VMState)
        /// Nothing may wait behind it: what becomes of the server is not known before its end.
        case alone
    }

    static func manner(of kind: WorkflowKind) -> Manner {
        switch kind {
        case AttachInterface.kind, DetachInterface.kind, SnapshotServer.kind, BackupServer.kind, SweepHost.kind: .keeps
        default: verbs.first { $0.kind == kind }.map { .leaves($0.result) } ?? .alone
        }
    }

    private static let verbs: [any ServerVerb.Type] = [
        StartVerb.self, StopVerb.self, SoftRebootVerb.self, HardRebootVerb.self, PauseVerb.self, UnpauseVerb.self, SuspendVerb.self,
        ResumeVerb.self,
    ]

    /// The action that a user asked for, and the event that stands for its work, in the reference's words.
    static func names(of kind: WorkflowKind) -> (action: String, event: String) {
        switch kind {
        case CreateServer.kind: ("create", "compute__do_build_and_run_instance")
        case DeleteServer.kind: ("delete", "compute_terminate_instance")
        case RebuildServer.kind: ("rebuild", "compute_rebuild_instance")
        case ResizeServer.kind: ("resize", "compute_resize_instance")
        case MigrateServer.kind: ("migrate", "compute_resize_instance")
        case MoveRunningServer.kind: ("live-migration", "compute_live_migration")
        case RescueServer.kind: ("rescue", "compute_rescue_instance")
        case UnrescueServer.kind: ("unrescue", "compute_unrescue_instance")
        case ShelveServer.kind: ("shelve", "compute_shelve_instance")
        case OffloadServer.kind: ("shelveOffload", "compute_shelve_offload_instance")
        case UnshelveServer.kind: ("unshelve", "compute_unshelve_instance")
        case EvacuateServer.kind: ("evacuate", "compute_rebuild_instance")
        case ConfirmResize.kind: ("confirmResize", "compute_confirm_resize")
        case RevertResize.kind: ("revertResize", "compute_revert_resize")
        case SnapshotServer.kind: ("createImage", "compute_snapshot_instance")
        case BackupServer.kind: ("createBackup", "compute_backup_instance")
        case AttachInterface.kind: ("attach_interface", "compute_attach_interface")
        case DetachInterface.kind: ("detach_interface", "compute_detach_interface")
        case StartVerb.kind: ("start", "compute_start_instance")
        case StopVerb.kind: ("stop", "compute_stop_instance")
        case SoftRebootVerb.kind, HardRebootVerb.kind: ("reboot", "compute_reboot_instance")
        case PauseVerb.kind: ("pause", "compute_pause_instance")
        case UnpauseVerb.kind: ("unpause", "compute_unpause_instance")
        case SuspendVerb.kind: ("suspend", "compute_suspend_instance")
        case ResumeVerb.kind: ("resume", "compute_resume_instance")
        default: (kind.name, kind.name)
        }
    }
}
