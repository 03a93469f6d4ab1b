import Access

// The actions on groups, group snapshots and group types, by the reference's names. Consistency groups are groups.

extension Action {
    static let listGroups: Action = "group:get_all"
    static let getGroup: Action = "group:get"
    static let createGroup: Action = "group:create"
    static let updateGroup: Action = "group:update"
    static let deleteGroup: Action = "group:delete"
    static let resetGroup: Action = "group:reset_status"
    static let enableReplication: Action = "group:enable_replication"
    static let disableReplication: Action = "group:disable_replication"
    static let failoverReplication: Action = "group:failover_replication"
    static let listReplicationTargets: Action = "group:list_replication_targets"
    static let showGroupProject: Action = "group:group_project_attribute"

    static let listGroupSnapshots: Action = "group:get_all_group_snapshots"
    static let getGroupSnapshot: Action = "group:get_group_snapshot"
    static let createGroupSnapshot: Action = "group:create_group_snapshot"
    static let deleteGroupSnapshot: Action = "group:delete_group_snapshot"
    static let resetGroupSnapshot: Action = "group:reset_group_snapshot_status"
    static let showGroupSnapshotProject: Action = "group:group_snapshot_project_attribute"

    static let createGroupType: Action = "group:group_types:create"
    static let updateGroupType: Action = "group:group_types:update"
    static let deleteGroupType: Action = "group:group_types:delete"
    static let showGroupSpecs: Action = "group:access_group_types_specs"
    static let listGroupSpecs: Action = "group:group_types_specs:get_all"
    static let getGroupSpec: Action = "group:group_types_specs:get"
    static let createGroupSpecs: Action = "group:group_types_specs:create"
    static let updateGroupSpec: Action = "group:group_types_specs:update"
    static let deleteGroupSpec: Action = "group:group_types_specs:delete"
}
