/// A column that a list can be filtered or sorted by, under the name that the API gives it.
struct ListColumn: Sendable {
    enum Kind: Sendable { case text, truth, number, time }

    let column: String
    let kind: Kind

    init(_ column: String, _ kind: Kind = .text) {
        self.column = column
        self.kind = kind
    }

    /// The column as SQL that is never NULL.
    var sortable: String {
        switch kind {
        case .text: ["id", "created_at"].contains(column) ? column : "coalesce(\(column), '')"
        case .truth, .number, .time: column == "created_at" ? column : "coalesce(\(column), 0)"
        }
    }

    static let volumes: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "display_name": .init("name"), "description": .init("description"),
        "display_description": .init("description"), "status": .init("status"), "size": .init("size", .number),
        "availability_zone": .init("zone"), "bootable": .init("is_bootable", .truth),
        "multiattach": .init("is_multiattach", .truth), "user_id": .init("user_id"), "project_id": .init("project_id"),
        "host": .init("place"), "volume_type_id": .init("type_id"), "snapshot_id": .init("snapshot_id"),
        "source_volid": .init("source_id"), "group_id": .init("group_id"),
        "migration_status": .init("migration_status"),
        "attach_status": .init("attach_status"), "created_at": .init("created_at", .time),
        "updated_at": .init("updated_at", .time), "launched_at": .init("launched_at", .time),
    ]

    static let snapshots: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "display_name": .init("name"), "description": .init("description"),
        "display_description": .init("description"), "status": .init("status"), "volume_id": .init("volume_id"),
        "volume_size": .init("size", .number), "user_id": .init("user_id"), "project_id": .init("project_id"),
        "volume_type_id": .init("type_id"), "group_snapshot_id": .init("group_snapshot_id"),
        "created_at": .init("created_at", .time), "updated_at": .init("updated_at", .time),
    ]

    static let backups: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "display_name": .init("name"), "description": .init("description"),
        "display_description": .init("description"), "status": .init("status"), "volume_id": .init("volume_id"),
        "snapshot_id": .init("snapshot_id"), "parent_id": .init("parent_id"), "size": .init("size", .number),
        "container": .init("container"), "availability_zone": .init("zone"), "user_id": .init("user_id"),
        "project_id": .init("project_id"), "object_count": .init("object_count", .number),
        "data_timestamp": .init("data_at", .time), "created_at": .init("created_at", .time),
        "updated_at": .init("updated_at", .time),
    ]

    static let attachments: [String: ListColumn] = [
        "id": .init("id"), "volume_id": .init("volume_id"), "attach_status": .init("status"), "status": .init("status"),
        "instance_uuid": .init("server_id"), "instance_id": .init("server_id"), "attached_host": .init("host"),
        "mountpoint": .init("mountpoint"), "attach_mode": .init("mode"), "attach_time": .init("attached_at", .time),
        "created_at": .init("created_at", .time), "updated_at": .init("updated_at", .time),
    ]

    static let transfers: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "display_name": .init("name"), "volume_id": .init("volume_id"),
        "no_snapshots": .init("leaves_snapshots", .truth), "project_id": .init("project_id"),
        "source_project_id": .init("project_id"), "created_at": .init("created_at", .time),
    ]

    static let groupTypes: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "description": .init("description"),
        "is_public": .init("is_public", .truth), "created_at": .init("created_at", .time),
        "updated_at": .init("updated_at", .time),
    ]

    static let groups: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "description": .init("description"), "status": .init("status"),
        "availability_zone": .init("zone"), "group_type_id": .init("type_id"), "host": .init("host"),
        "user_id": .init("user_id"), "project_id": .init("project_id"),
        "group_snapshot_id": .init("group_snapshot_id"), "source_group_id": .init("source_group_id"),
        "created_at": .init("created_at", .time), "updated_at": .init("updated_at", .time),
    ]

    static let groupSnapshots: [String: ListColumn] = [
        "id": .init("id"), "name": .init("name"), "description": .init("description"), "status": .init("status"),
        "group_id": .init("group_id"), "group_type_id": .init("type_id"), "user_id": .init("user_id"),
        "project_id": .init("project_id"), "created_at": .init("created_at", .time),
        "updated_at": .init("updated_at", .time),
    ]

    static let messages: [String: ListColumn] = [
        "id": .init("id"), "event_id": .init("event_id"), "request_id": .init("request_id"),
        "resource_type": .init("subject"), "resource_uuid": .init("subject_id"), "project_id": .init("project_id"),
        "created_at": .init("created_at", .time), "expires_at": .init("expires_at", .time),
    ]
}
