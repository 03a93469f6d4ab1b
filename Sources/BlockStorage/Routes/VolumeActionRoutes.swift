import CloudCore
import HTTPKit
import HTTPTypes
import HostModel

/// The route of a volume's actions. Each action has a word, which is the only member of its body.
struct VolumeActionRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let volumes: VolumeService

    var all: [Route] {
        let all = attaching + others + ofAdministrators + moving
        let actions = Dictionary(all.map { ($0.word, $0) }) { first, _ in first }
        return [
            maker.route(.post, "/volumes/{volume_id}/action", nil) { call in
                let body = try await call.call.body.json()
                guard body.count == 1, let word = body.keys.first, let action = actions[word] else {
                    throw CloudError.badRequest(
                        "There is no such action: \(body.keys.joined(separator: ", ").prefix(255))")
                }
                guard call.minor >= action.since else { throw CloudError.notFound("The resource could not be found.") }
                return try await action.act(call.call.id("volume_id"), .object(body), call)
            }
        ]
    }

    /// One word of the route.
    private struct Action: Sendable {
        let word: String
        let since: Int
        let act: @Sendable (ID<Kind.Volume>, JSON, VolumeCall) async throws -> Reply

        /// Makes an action.
        ///
        /// - Parameters:
        ///   - since: the first minor version that has the action.
        ///   - form: the form of the member's value.
        init<Value: Sendable>(
            _ word: String, since: Int = 0, _ form: Form<Value>,
            _ act: @escaping @Sendable (ID<Kind.Volume>, Value, VolumeCall) async throws -> Reply
        ) {
            self.word = word
            self.since = since
            let whole = form.inside(word)
            self.act = { id, body, call in try await act(id, try call.read(whole, body), call) }
        }

        /// Returns an action that is accepted, and has no other answer.
        static func accepting<Value: Sendable>(
            _ word: String, since: Int = 0, _ form: Form<Value>,
            _ act: @escaping @Sendable (ID<Kind.Volume>, Value, VolumeCall) async throws -> Void
        ) -> Action {
            Action(word, since: since, form) { id, value, call in
                try await act(id, value, call)
                return .accepted
            }
        }
    }

    private static let anything = Form(.any) { $0 }

    // MARK: Attaching

    private static let attach = Form.object(
        OldAttachService.Wish(),
        [
            .optional("instance_uuid", \.serverID, .uuid), .optional("host_name", \.host, .string(0...255)),
            .required("mountpoint", \.mountpoint, .string(1...255)), .optional("mode", \.mode, .oneOf(["rw", "ro"])),
        ])
    private static let detach = Form.nullable(
        Form.object(Named(), [.optional("attachment_id", \.id, .uuidOrNull)]))
    private static let connector = Form.json(.either([.openObject, .string(0...Int.max)])).inside("connector")
    private static let oldConnector = Form.json(.either([.openObject, .string(0...Int.max), .nullable(.null)]))
        .inside("connector")

    private struct Named: Sendable {
        var id: String?
        var connector: JSON?
    }

    private var attaching: [Action] {
        let old = OldAttachService(volumes: volumes)
        return [
            .accepting("os-attach", Self.attach) { id, wish, call in
                guard wish.serverID != nil || wish.host != nil else {
                    throw CloudError.badRequest(
                        "Invalid input for field/attribute os-attach. 'instance_uuid' or 'host_name' is required.")
                }
                try await old.attach(id, wish, by: call.caller)
            },
            .accepting("os-detach", Self.detach) { id, named, call in
                try await old.detach(id, attachment: named?.id, by: call.caller)
            },
            .accepting("os-reserve", Self.anything) { id, _, call in
                try await old.reserve(id, by: call.caller)
            },
            .accepting("os-unreserve", Self.anything) { id, _, call in
                try await old.unreserve(id, by: call.caller)
            },
            .accepting("os-begin_detaching", Self.anything) { id, _, call in
                try await old.beginDetaching(id, by: call.caller)
            },
            .accepting("os-roll_detaching", Self.anything) { id, _, call in
                try await old.rollDetaching(id, by: call.caller)
            },
            Action("os-initialize_connection", Self.connector) { id, connector, call in
                let data = try await old.initialize(id, by: call.caller)
                return .json { json in
                    json.object("connection_info") { json in
                        json.member("driver_volume_type", ConnectionInfo.kind)
                        json.object("data") { $0.members(of: data) }
                        json.member("enforce_multipath", connector["enforce_multipath"]?.bool ?? false)
                    }
                }
            },
            .accepting("os-terminate_connection", Self.oldConnector) { id, _, call in
                try await old.terminate(id, by: call.caller)
            },
            .accepting("os-force_detach", Self.forceDetach) { id, named, call in
                try await old.forceDetach(id, attachment: named.id, by: call.caller)
            },
        ]
    }

    private static let forceDetach = Form.object(
        Named(),
        [
            .optional("connector", \.connector, .json(.nullable(.either([.openObject, .string(0...Int.max)])))),
            .optional("attachment_id", \.id, .nullable(.string())),
        ])

    // MARK: Others

    private static let extend = Form.whole(1...Shape.largestInteger).inside("new_size")
    private static let reimageSince = 68
    private static let revertSince = 40
    private static let visibilitySince = 1

    private struct Retype: Sendable {
        var type = ""
        var policy: String?
    }
    private static let retype = Form.object(
        Retype(),
        [
            .required("new_type", \.type, .string()),
            .optional("migration_policy", \.policy, .nullable(.oneOf(["on-demand", "never"]))),
        ])

    private static let upload = Form.object(
        VolumeImageService.Wish(),
        [
            .required("image_name", \.name, .string(1...255)), .optional("force", \.isForced, .truth),
            .optional(
                "disk_format", \.diskFormat, .oneOf(["raw", "vmdk", "vdi", "qcow2", "vhd", "vhdx", "ploop"])),
            .optional("container_format", \.containerFormat, .printable),
            .optional(
                "visibility", \.visibility, .oneOf(["community", "public", "private", "shared"]),
                since: visibilitySince),
            .optional("protected", \.isProtected, .truth, since: visibilitySince),
        ])

    private struct Reimage: Sendable {
        var image = ""
        var takesReserved = false
    }
    private static let reimage = Form.object(
        Reimage(),
        [.required("image_id", \.image, .uuid), .optional("reimage_reserved", \.takesReserved, .truth)])

    private struct Revert: Sendable {
        var snapshot: String?
    }
    private static let revert = Form.object(
        Revert(), [.optional("snapshot_id", \.snapshot, .nullable(.string()))], open: true)

    private var others: [Action] {
        let service = VolumeActionService(volumes: volumes)
        let images = VolumeImageService(volumes: volumes)
        let properties = VolumeMetadata(service: volumes)
        return [
            .accepting("os-extend", Self.extend) { id, size, call in
                try await service.extend(id, to: size, by: call.caller)
            },
            .accepting("os-retype", Self.retype) { id, retype, call in
                try await service.retype(
                    id, to: retype.type, mayMove: retype.policy == "on-demand", by: call.caller)
            },
            .accepting("os-update_readonly_flag", Form.truth.inside("readonly")) { id, isReadOnly, call in
                try await service.setReadOnly(isReadOnly, id, by: call.caller)
            },
            Action("os-set_bootable", Form.truth.inside("bootable")) { id, isBootable, call in
                try await service.setBootable(isBootable, id, by: call.caller)
                return .ok
            },
            .accepting("revert", since: Self.revertSince, Self.revert) { id, revert, call in
                try await service.revert(id, to: revert.snapshot, by: call.caller)
            },
            Action("os-volume_upload_image", Self.upload) { id, wish, call in
                let made = try await images.upload(id, wish, by: call.caller)
                return Self.answer(made.volume, made.image, call.minor)
            },
            .accepting("os-reimage", since: Self.reimageSince, Self.reimage) { id, reimage, call in
                try await images.reimage(
                    id, from: ID(reimage.image), takesReserved: reimage.takesReserved, by: call.caller)
            },
            Action("os-show_image_metadata", Self.anything) { id, _, call in
                Self.answer(try await properties.imageProperties(of: id, by: call.caller))
            },
            Action(
                "os-set_image_metadata",
                Form<JSONObject>.pairs(.propertyName, .string(0...65_535)).inside("metadata")
            ) { id, given, call in
                Self.answer(try await properties.setImageProperties(given, of: id, by: call.caller))
            },
            Action("os-unset_image_metadata", Form.string(1...255).inside("key")) { id, key, call in
                try await properties.removeImageProperty(key, of: id, by: call.caller)
                return .ok
            },
        ]
    }

    private static func answer(_ metadata: JSONObject) -> Reply {
        .json { json in json.object("metadata") { $0.members(of: metadata) } }
    }

    private static func answer(_ view: VolumeView, _ image: VolumeImage, _ minor: Int) -> Reply {
        .json(.accepted) { json in
            json.object("os-volume_upload_image") { json in
                json.member("id", view.volume.id)
                json.member("updated_at", view.volume.updatedAt?.iso8601MicrosecondsNoZone)
                json.member("status", VolumeStatus.uploading.rawValue)
                json.member("display_description", view.volume.description)
                json.member("size", view.volume.size)
                json.object("volume_type") { json in
                    json.member("id", view.volume.typeID)
                    json.member("name", view.typeName)
                }
                json.member("image_id", image.id)
                json.member("container_format", image.containerFormat)
                json.member("disk_format", image.diskFormat)
                json.member("image_name", image.name)
                guard minor >= visibilitySince else { return }
                json.member("protected", image.isProtected)
                json.member("visibility", image.visibility)
            }
        }
    }

    // MARK: Administrators

    private static let word = Form.nullable(Form.string())
    private static let reset = Form.object(
        VolumeActionService.Reset(),
        [
            .optional("status", \.status, word), .optional("attach_status", \.attachStatus, word),
            .optional("migration_status", \.migration, word),
        ], anyOf: ["status", "attach_status", "migration_status"])

    private var ofAdministrators: [Action] {
        let service = VolumeActionService(volumes: volumes)
        return [
            .accepting("os-reset_status", Self.reset) { id, reset, call in
                try await service.reset(id, reset, by: call.caller)
            },
            .accepting("os-force_delete", Self.anything) { id, _, call in
                try await volumes.delete(id, cascade: false, force: .adminForceDelete, by: call.caller)
            },
        ]
    }

    // MARK: Moving and managing

    private static let clusterSince = 16

    private static let migrate = Form.object(
        MigrationService.Wish(),
        [
            .required("host", \.host, Form<String>.string(0...255).mapped { Optional($0) }, until: clusterSince - 1),
            .optional("host", \.host, .nullable(.string(0...255)), since: clusterSince),
            // The host copies the bytes in any case.
            .ignored("force_host_copy", .truth), .optional("lock_volume", \.locksVolume, .truth),
            .optional("cluster", \.cluster, .nullable(.string(0...255)), since: clusterSince),
        ])

    private struct Completion: Sendable {
        var newID = ""
        var isFailed = false
    }

    /// A sign of a failure: a truth value, or any text that is not empty.
    private static let failure = Form<Bool>(.nullable(.either([.boolean, .string(0...Int.max)]))) { json, _ in
        json.bool ?? json.string.map { !$0.isEmpty } ?? false
    }

    private static let migrated = Form.object(
        Completion(), [.required("new_volume", \.newID, .uuid), .optional("error", \.isFailed, failure)])
    private static let extended = Form.object(Completion(), [.optional("error", \.isFailed, failure)])

    private var moving: [Action] {
        let migrations = MigrationService(volumes: volumes)
        let managing = ManagingService(snapshots: SnapshotService(volumes: volumes))
        return [
            .accepting("os-migrate_volume", Self.migrate) { id, wish, call in
                let target = try HostOrCluster(
                    host: wish.host, cluster: wish.cluster, knowsClusters: call.minor >= Self.clusterSince)
                try await migrations.migrate(id, to: target, locked: wish.locksVolume, by: call.caller)
            },
            Action("os-migrate_volume_completion", Self.migrated) { id, completion, call in
                let kept = try await migrations.complete(
                    id, with: ID(completion.newID), isFailed: completion.isFailed, by: call.caller)
                return .json { $0.member("save_volume_id", kept) }
            },
            .accepting("os-extend_volume_completion", Self.extended) { id, _, call in
                try await migrations.completeExtend(id, by: call.caller)
            },
            .accepting("os-unmanage", Self.anything) { id, _, call in
                try await managing.unmanage(id, by: call.caller)
            },
        ]
    }
}
