import Access

/// The default policies of Block Storage, as in the reference. A check may name the target's attributes `project_id`
/// and `user_id`.
enum BlockStoragePolicy {
    static let defaults: [PolicyDefault] =
        shared + Audience.allCases.flatMap { audience in (rules[audience] ?? []).map(audience.rule) }

    /// The callers who may do an action, unless the operator sets another policy. The raw value is a check in the
    /// policy language.
    enum Audience: String, Sendable, CaseIterable {
        case administrators = "rule:admin_api"
        case members = "rule:xena_system_admin_or_project_member"
        case readers = "rule:xena_system_admin_or_project_reader"

        func rule(_ action: Action) -> PolicyDefault { PolicyDefault(action, rawValue, scopes: [.project]) }
    }

    private static let shared = [
        PolicyDefault(.isAdministrator, "role:admin", "Who sees what is not of the own project."),
        PolicyDefault(
            "admin_api", "is_admin:True or (role:admin and is_admin_project:True)", "An administrator of the cloud."),
        PolicyDefault(
            "admin_or_owner", "is_admin:True or (role:admin and is_admin_project:True) or project_id:%(project_id)s",
            "An administrator, or the project itself."),
        PolicyDefault(
            "xena_system_admin_or_project_reader",
            "(role:admin) or (role:reader and project_id:%(project_id)s)",
            "An administrator, or a reader of the project."),
        PolicyDefault(
            "xena_system_admin_or_project_member",
            "(role:admin) or (role:member and project_id:%(project_id)s)",
            "An administrator, or a member of the project."),
    ]

    private static let rules: [Audience: [Action]] = [
        .administrators: administrators, .members: members, .readers: readers,
    ]

    private static let administrators: [Action] = [
        .forceDelete, .showVolumeHost, .showMigration, .completeExtend, .resetVolume, .adminForceDelete, .uploadPublic,
        .forceDetach, .migrateVolume, .completeMigration, .resetSnapshot, .forceDeleteSnapshot,
        .createType, .updateType, .deleteType, .showTypeQoS, .createExtraSpecs, .readSensitiveSpecs, .updateExtraSpecs,
        .deleteExtraSpecs, .addTypeAccess, .removeTypeAccess, .listTypeAccess, .setDefaultType, .getDefaultType,
        .listDefaultTypes, .unsetDefaultType, .listQoS, .getQoS, .createQoS, .updateQoS, .deleteQoS, .getQuotaClass,
        .updateQuotaClass, .updateQuota, .deleteQuota, .listPools, .showCapabilities, .listServices, .updateServices,
        .freezeHost, .thawHost, .manageHosts, .getTypeEncryption, .resetGroup, .showGroupProject,
        .resetGroupSnapshot, .showGroupSnapshotProject, .createGroupType, .updateGroupType, .deleteGroupType,
        .showGroupSpecs, .listManageable, .manageVolume, .unmanageVolume, .listManageableSnapshots, .manageSnapshot,
        .unmanageSnapshot, .failoverHost, .listClusters, .getCluster, .updateCluster, .cleanWorkers,
        .importBackup, .exportBackup, .showBackupProject, .resetBackup, .forceDeleteBackup,
        .listGroupSpecs, .getGroupSpec, .createGroupSpecs, .updateGroupSpec, .deleteGroupSpec,
    ]

    private static let members: [Action] = [
        .createVolume, .createFromImage, .updateVolume, .deleteVolume, .createMultiattach, .createMetadata,
        .updateMetadata, .deleteMetadata, .setImageMetadata, .removeImageMetadata, .extendVolume, .extendAttached,
        .revertVolume, .retypeVolume, .setReadOnly, .uploadImage, .initializeConnection, .terminateConnection,
        .rollDetaching, .reserveVolume, .unreserveVolume, .beginDetaching, .attachVolume, .detachVolume, .reimageVolume,
        .reimageReserved, .createAttachment, .updateAttachment, .deleteAttachment, .completeAttachment,
        .multiattachBootable, .createSnapshot, .updateSnapshot, .deleteSnapshot, .updateSnapshotStatus,
        .updateSnapshotMetadata, .deleteSnapshotMetadata, .showTypeAccess, .deleteMessage, .createTransfer,
        .acceptTransfer, .deleteTransfer, .createGroup, .updateGroup, .deleteGroup, .createGroupSnapshot,
        .deleteGroupSnapshot, .enableReplication, .disableReplication, .failoverReplication, .listReplicationTargets,
        .createBackup, .updateBackup, .deleteBackup, .restoreBackup,
    ]

    private static let readers: [Action] = [
        .getVolume, .listVolumes, .showVolumeProject, .showVolumeEncryption, .getMetadata, .showImageMetadata,
        .listSnapshots, .showExtendedSnapshot, .getSnapshot, .getSnapshotMetadata, .getType, .listTypes, .showTypeSpecs,
        .listExtraSpecs, .showExtraSpecs, .showQuota, .showUsedLimits, .listMessages, .getMessage,
        .listTransfers, .getTransfer, .listGroups, .getGroup, .listGroupSnapshots, .getGroupSnapshot,
        .listBackups, .getBackup,
    ]
}
