import CloudCore
import HTTPKit
import HTTPTypes
import TestSupport

extension RouteExpectations {
    static let blockStorage = RouteExpectations(
        open: ["GET /": discovery, "GET /v3": discovery], word: "1", versions: ["volume 3.0", "volume 3.71"],
        make: makeVolume, body: { route, things in volumeBodies(things)[route.name] })

    private static let newest = "volume 3.71"

    @Sendable private static func makeVolume(_ stage: RouteStage) async throws -> Things {
        let volume = try await stage.make("/volume/v3/volumes", ["volume": ["size": 1, "metadata": ["1": "x"]]])
        try await stage.cloud.settle()
        let snapshot = try await stage.make(
            "/volume/v3/snapshots",
            ["snapshot": ["volume_id": .string(volume), "metadata": ["1": "x"], "force": true]])
        try await stage.cloud.settle()
        let backup = try await stage.make("/volume/v3/backups", ["backup": ["volume_id": .string(volume)]])
        try await stage.cloud.settleAll()
        let attachment = try await stage.make(
            "/volume/v3/attachments", ["attachment": ["volume_uuid": .string(volume)]], version: newest)
        let failed = try await stage.make(
            "/volume/v3/volumes", ["volume": ["size": 1, "metadata": ["simulate:fault": "create-fails"]]])
        try await stage.cloud.settleAll()
        let messages = await stage.cloud.send(
            .get, "/volume/v3/messages?resource_uuid=\(failed)", token: stage.member,
            headers: [.apiVersion: newest])
        let offered = try await stage.make("/volume/v3/volumes", ["volume": ["size": 1]])
        try await stage.cloud.settle()
        let transfer = try await stage.make(
            "/volume/v3/volume-transfers", ["transfer": ["volume_id": .string(offered)]])
        let qos = try await stage.make("/volume/v3/qos-specs", ["qos_specs": ["name": "x", "1": "x"]], as: stage.admin)
        let type = try await stage.make(
            "/volume/v3/types", ["volume_type": ["name": "x", "extra_specs": ["1": "x"]]], as: stage.admin)
        let groupType = try await stage.make(
            "/volume/v3/group_types", ["group_type": ["name": "x", "group_specs": ["1": "x"]]], as: stage.admin,
            version: newest)
        let wish: JSON = ["group": ["group_type": .string(groupType), "volume_types": ["__DEFAULT__"]]]
        let group = try await stage.make("/volume/v3/groups", wish, version: newest)
        let groupSnapshot = try await stage.make(
            "/volume/v3/group_snapshots", ["group_snapshot": ["group_id": .string(group)]], version: newest)
        return [
            "backup_id": backup, "group_type_id": groupType, "group_id": group, "consistencygroup_id": group,
            "group_snapshot_id": groupSnapshot, "cgsnapshot_id": groupSnapshot,
            "volume_id": volume, "snapshot_id": snapshot, "attachment_id": attachment, "qos_id": qos, "type_id": type,
            "transfer_id": transfer, "message_id": messages.json["messages"]?.array?.first?["id"]?.string ?? "",
        ]
    }

    private static let metadata: JSON = ["metadata": ["a": "b"]]

    private static func volumeBodies(_ things: Things) -> [String: JSON] {
        let volume = JSON.string(things["volume_id"] ?? "")
        let group = JSON.string(things["group_id"] ?? "")
        let file: JSON = ["source-name": "x.raw"]
        return [
            "POST /v3/backups": ["backup": ["volume_id": volume]],
            "PUT /v3/backups/{backup_id}": ["backup": ["name": "x"]],
            "POST /v3/backups/{backup_id}/action": ["os-force_delete": [:]],
            "POST /v3/backups/{backup_id}/restore": ["restore": [:]],
            "POST /v3/backups/import_record": ["backup-record": ["backup_service": "x", "backup_url": "e30="]],
            "POST /v3/os-volume-manage": ["volume": ["host": "host-1@volumes", "ref": file]],
            "POST /v3/manageable_volumes": ["volume": ["host": "host-1@volumes", "ref": file]],
            "POST /v3/os-snapshot-manage": ["snapshot": ["volume_id": volume, "ref": file]],
            "POST /v3/manageable_snapshots": ["snapshot": ["volume_id": volume, "ref": file]],
            "POST /v3/groups": ["group": ["group_type": "x", "volume_types": ["__DEFAULT__"]]],
            "PUT /v3/groups/{group_id}": ["group": ["name": "x"]],
            "POST /v3/groups/action": ["create-from-src": ["source_group_id": group]],
            "POST /v3/groups/{group_id}/action": ["delete": [:]],
            "POST /v3/group_snapshots": ["group_snapshot": ["group_id": group]],
            "POST /v3/group_snapshots/{group_snapshot_id}/action": ["reset_status": ["status": "error"]],
            "POST /v3/consistencygroups": ["consistencygroup": ["volume_types": "__DEFAULT__"]],
            "POST /v3/consistencygroups/create_from_src": ["consistencygroup-from-src": ["source_cgid": group]],
            "PUT /v3/consistencygroups/{consistencygroup_id}": ["consistencygroup": ["name": "x"]],
            "PUT /v3/consistencygroups/{consistencygroup_id}/update": ["consistencygroup": ["name": "x"]],
            "POST /v3/cgsnapshots": ["cgsnapshot": ["consistencygroup_id": group]],
            "POST /v3/volumes": ["volume": ["size": 1]], "PUT /v3/volumes/{volume_id}": ["volume": ["name": "x"]],
            "POST /v3/volumes/{volume_id}/action": ["os-reserve": .null],
            "POST /v3/volumes/{volume_id}/metadata": metadata, "PUT /v3/volumes/{volume_id}/metadata": metadata,
            "PUT /v3/volumes/{volume_id}/metadata/{key}": ["meta": ["1": "y"]],
            "POST /v3/snapshots": ["snapshot": ["volume_id": volume]],
            "PUT /v3/snapshots/{snapshot_id}": ["snapshot": ["name": "x"]],
            "POST /v3/snapshots/{snapshot_id}/action": ["os-force_delete": .null],
            "POST /v3/snapshots/{snapshot_id}/metadata": metadata, "PUT /v3/snapshots/{snapshot_id}/metadata": metadata,
            "PUT /v3/snapshots/{snapshot_id}/metadata/{key}": ["meta": ["1": "y"]],
            "POST /v3/attachments": ["attachment": ["volume_uuid": volume]],
            "PUT /v3/attachments/{attachment_id}": ["attachment": ["connector": ["host": "x"]]],
            "POST /v3/attachments/{attachment_id}/action": ["os-complete": .null],
            "POST /v3/os-volume-transfer": ["transfer": ["volume_id": volume]],
            "POST /v3/volume-transfers": ["transfer": ["volume_id": volume]],
            "POST /v3/os-volume-transfer/{transfer_id}/accept": ["accept": ["auth_key": "x"]],
            "POST /v3/volume-transfers/{transfer_id}/accept": ["accept": ["auth_key": "x"]],
            "POST /v3/types/{type_id}/action": ["addProjectAccess": ["project": "x"]],
        ]
    }
}
