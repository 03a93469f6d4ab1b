import CloudCore
import HTTPKit

/// The form of volumes in bodies and answers, by microversion.
struct VolumeWire: Sendable {
    private let links: Links
    private let caller: Caller
    private var minor: Int { caller.minor }

    init(_ call: VolumeCall) {
        links = Links(call)
        caller = call.caller
    }

    // MARK: Bodies

    private static let size = Form.nullable(Form.whole(1...Shape.largestInteger))

    struct New: Sendable {
        var wish = VolumeCreation.Wish()
        var displayName: String?
        var displayDescription: String?
        var imageID: String?
        var oldGroupID: String?
        var asksMultiattach: Bool?
        var hints: VolumeCreation.Hints?
    }

    private static let groupsSince = 13
    private static let backupsSince = 47
    private static let closedSince = 53

    private static let members: [FormMember<New>] = [
        .optional("name", \.wish.name, .words("name")),
        .optional("description", \.wish.description, .words("description")),
        .optional("display_name", \.displayName, .words("name")),
        .optional("display_description", \.displayDescription, .words("description")),
        .optional("volume_type", \.wish.type, .shortText),
        .optional("metadata", \.wish.metadata, Form.nullable(Form<JSONObject>.metadata).mapped { $0 ?? JSONObject() }),
        .optional("snapshot_id", \.wish.snapshotID, .uuidOrNull),
        .optional("source_volid", \.wish.sourceID, .uuidOrNull),
        .optional("consistencygroup_id", \.oldGroupID, .uuidOrNull), .optional("size", \.wish.size, size),
        .optional("availability_zone", \.wish.zone, .nullable(.string(1...255))),
        .optional("multiattach", \.asksMultiattach, .nullable(.truth)), .optional("image_id", \.imageID, .shortText),
        .optional("imageRef", \.wish.image, .shortText),
        .optional("group_id", \.wish.groupID, .shortText, since: groupsSince),
        .optional("backup_id", \.wish.backupID, .uuidOrNull, since: backupsSince),
    ]

    /// The form of a body of `POST /volumes`. Before 3.53 the reference lets unknown members pass.
    static func new(_ minor: Int) -> Form<New> { minor >= closedSince ? closed : open }
    private static let closed = whole(open: false)
    private static let open = whole(open: true)

    private static func whole(open: Bool) -> Form<New> {
        Form.object(
            New(),
            [
                .required("volume", \.self, Form.object(New(), members, open: open)),
                .optional("OS-SCH-HNT:scheduler_hints", \.hints, .nullable(hints)),
            ])
    }

    /// A volume's id, or several.
    private static let ids = Form<[String]>(.either([.uuid, .array(.uuid, unique: true)])) { json, _ in
        json.string.map { [$0] } ?? json.array?.compactMap(\.string) ?? []
    }
    private static let hints = Form.object(
        VolumeCreation.Hints(),
        [
            .optional("same_host", \.sameHost, ids), .optional("different_host", \.differentHost, ids),
            .ignored("local_to_instance", .uuid), .ignored("query", .either([.string(0...Int.max), .openObject])),
        ], open: true)

    /// Returns the wish of a body.
    ///
    /// - Throws: `badRequest` for what the reference has removed.
    static func wish(_ new: New) throws -> VolumeCreation.Wish {
        guard new.asksMultiattach != true else {
            throw CloudError.badRequest(
                "multiattach parameter has been removed. The default behavior is to use multiattach enabled volume "
                    + "types. Contact your administrator to create a multiattach enabled volume type and use it to "
                    + "create multiattach volumes.")
        }
        var wish = new.wish
        wish.name = wish.name ?? new.displayName
        wish.description = wish.description ?? new.displayDescription
        wish.image = new.imageID ?? wish.image
        if wish.image?.isEmpty == true { wish.image = nil }
        wish.groupID = wish.groupID ?? new.oldGroupID
        wish.hints = new.hints ?? wish.hints
        return wish
    }

    private static let changeMembers: [FormMember<VolumeService.Change>] = [
        .optional("display_name", \.name, change("name")), .optional("name", \.name, change("name")),
        .optional("display_description", \.description, change("description")),
        .optional("description", \.description, change("description")), .optional("metadata", \.metadata, .metadata),
    ]
    private static func change(_ what: String) -> Form<Update<String>> { Form.words(what).mapped { Update($0) } }

    static func change(_ minor: Int) -> Form<VolumeService.Change> {
        let names = ["name", "description", "display_name", "display_description", "metadata"]
        return Form.object(VolumeService.Change(), changeMembers, anyOf: minor >= closedSince ? names : [])
            .inside("volume")
    }

    // MARK: Answers

    func brief(_ view: VolumeView, _ json: inout JSONWriter) {
        json.member("id", view.volume.id)
        json.member("name", view.volume.name)
        links.write(&json, "volumes", view.volume.id.text)
    }

    private static let providerSince = 21
    private static let sharedSince = 48
    private static let clusterSince = 61
    private static let typeIDSince = 63
    private static let quotaSince = 65
    private static let sharedMayBeNull = 69

    /// Writes a volume.
    ///
    /// - Parameter isWhole: whether the answer has the members that the reference adds to shows and lists alone.
    func write(_ view: VolumeView, isWhole: Bool, _ json: inout JSONWriter) {
        let volume = view.volume
        json.member("id", volume.id)
        json.member("status", volume.status.shown)
        json.member("size", volume.size)
        json.member("availability_zone", volume.zone)
        json.member("created_at", volume.createdAt.iso8601MicrosecondsNoZone)
        json.member("updated_at", volume.updatedAt?.iso8601MicrosecondsNoZone)
        json.member("name", volume.name)
        json.member("description", volume.description)
        json.member("volume_type", view.typeName)
        json.member("snapshot_id", volume.snapshotID)
        json.member("source_volid", volume.sourceID)
        json.object("metadata") { json in
            json.members(of: shownMetadata(view))
        }
        links.write(&json, "volumes", volume.id.text)
        json.member("user_id", volume.userID)
        json.member("bootable", volume.isBootable ? "true" : "false")
        json.member("encrypted", false)
        json.member("replication_status", nil as String?)
        json.member("consistencygroup_id", view.isInConsistencyGroup ? volume.groupID : nil)
        json.member("multiattach", volume.isMultiattach)
        json.array("attachments", of: view.attachments) { json, attachment in
            json.object { write(attachment, &$0) }
        }
        if caller.isAdministrator { json.member("migration_status", volume.migration) }
        newer(volume, &json)
        if isWhole { extended(volume, &json) }
    }

    /// Returns the metadata with what the reference shows of an administrator's metadata.
    private func shownMetadata(_ view: VolumeView) -> JSONObject {
        var shown = view.volume.metadata
        if let isReadOnly = view.volume.isReadOnly { shown["readonly"] = .string(isReadOnly ? "True" : "False") }
        if let mode = view.attachments.last?.mode, mode != "null" { shown["attached_mode"] = .string(mode) }
        return shown
    }

    private func newer(_ volume: Volume, _ json: inout JSONWriter) {
        if minor >= Self.groupsSince { json.member("group_id", volume.groupID) }
        if caller.isAdministrator, minor >= Self.providerSince { json.member("provider_id", nil as String?) }
        if minor >= Self.sharedSince {
            json.member("shared_targets", false)
            json.member("service_uuid", volume.host.map { ServiceID.of($0) })
        }
        if caller.isAdministrator, minor >= Self.clusterSince { json.member("cluster_name", nil as String?) }
        if minor >= Self.typeIDSince { json.member("volume_type_id", volume.typeID) }
        if minor >= Self.quotaSince { json.member("consumes_quota", true) }
    }

    private func extended(_ volume: Volume, _ json: inout JSONWriter) {
        if caller.may(.showVolumeHost, of: volume.projectID) { json.member("os-vol-host-attr:host", volume.place) }
        if caller.may(.showVolumeProject, of: volume.projectID) {
            json.member("os-vol-tenant-attr:tenant_id", volume.projectID)
        }
        if caller.may(.showMigration, of: volume.projectID) {
            json.member("os-vol-mig-status-attr:migstat", volume.migration)
            json.member("os-vol-mig-status-attr:name_id", nil as String?)
        }
        if !volume.imageMetadata.isEmpty, caller.may(.showImageMetadata, of: volume.projectID) {
            json.object("volume_image_metadata") { $0.members(of: volume.imageMetadata) }
        }
    }

    private func write(_ attachment: VolumeAttachment, _ json: inout JSONWriter) {
        json.member("id", attachment.volumeID)
        json.member("attachment_id", attachment.id)
        json.member("volume_id", attachment.volumeID)
        json.member("server_id", attachment.serverID)
        json.member(
            "host_name", caller.isAdministrator || caller.principal.hasRole("service") ? attachment.host : nil)
        json.member("device", attachment.mountpoint)
        json.member("attached_at", attachment.attachedAt?.iso8601MicrosecondsNoZone)
    }
}
