import CloudCore
import HTTPKit

/// The bodies of actions on a server, in all microversions. Each is the value of the action's member.
enum ServerActionBodies {
    // MARK: Power and locks

    /// The form of a reboot; the value tells whether the reboot is hard.
    static let reboot = Form.oneOf(["HARD", "Hard", "hard", "SOFT", "Soft", "soft"])
        .mapped { $0.lowercased() == "hard" }.inside("type")

    struct Lock: Sendable {
        var reason: String?
    }
    static let lock = Form<Lock?>.nullable(
        .object(Lock(), [.optional("locked_reason", \.reason, .string(1...255))]))
    static let state = Form.oneOf(["active", "error"]).mapped { $0 == "active" ? VMState.active : .error }
        .inside("state")

    // MARK: Contents

    struct Resize: Sendable {
        var flavorID = ""
        var resizesDisk: Bool?
    }
    static let resize = Form.object(
        Resize(),
        [
            .required("flavorRef", \.flavorID, ServerBodies.flavorID),
            .optional("OS-DCF:diskConfig", \.resizesDisk, ServerBodies.diskConfig),
        ])

    struct Copy: Sendable {
        var name = ""
        var kind = ""
        var rotation = 0
        var metadata: [String: String] = [:]
    }
    private static let copy: [FormMember<Copy>] = [
        .required("name", \.name, .plainName), .optional("metadata", \.metadata, .metadata),
    ]
    static let createImage = Form.object(Copy(), copy)
    static let createBackup = Form.object(
        Copy(), copy + [.required("backup_type", \.kind, .string()), .required("rotation", \.rotation, .natural)])

    // MARK: Other places

    static let lastWithStorage = 13
    private static let unshelvesToHostsSince = 91

    struct Move: Sendable {
        /// The destination; nil to let the scheduler choose.
        var host: String?
        var password: String?
        var isForced = false
        var isOnSharedStorage = false
    }
    private static let host = Form<String?>.nullable(.hostName).mapped { $0.flatMap { $0.isEmpty ? nil : $0 } }
    static let migrate = Form<Move?>.nullable(.object(Move(), [.optional("host", \.host, host)]))
    static let migrateLive = Form.object(
        Move(),
        [
            .required("host", \.host, host), .ignored("block_migration", .truth, required: true, until: 24),
            .ignored("block_migration", .either([.truth, .oneOf(["auto"])]), required: true, since: 25),
            .ignored("disk_over_commit", .truth, required: true, until: 24),
            .optional("force", \.isForced, .truth, since: 30, until: 67),
        ])
    static let evacuate = Form.object(
        Move(),
        [
            .optional("host", \.host, .hostName), .optional("adminPass", \.password, .string()),
            .required("onSharedStorage", \.isOnSharedStorage, .truth, until: lastWithStorage),
            .optional("force", \.isForced, .truth, since: 29, until: 67),
        ])

    struct Rescue: Sendable {
        var password: String?
        var imageID: String?
    }
    static let rescue = Form<Rescue?>.nullable(
        .object(
            Rescue(),
            [.optional("adminPass", \.password, .string()), .optional("rescue_image_ref", \.imageID, .uuid)])
    ).mapped { $0 ?? Rescue() }

    struct Place: Sendable {
        var zone = Update<String>.keep
        var host: String?
    }
    static let unshelve = Form<Place?>.nullable(
        .object(
            Place(),
            [
                .required(
                    "availability_zone", \.zone, Form.plainName.mapped { .set($0) }, until: unshelvesToHostsSince - 1),
                .update("availability_zone", \.zone, .string(), since: unshelvesToHostsSince),
                .optional("host", \.host, .string(), since: unshelvesToHostsSince),
            ]))

    // MARK: The guest and its networks

    static let password = Form.string().mapped { Secret($0) }.inside("adminPass")

    struct Console: Sendable {
        /// The number of lines from the end; nil or -1 for all.
        var length: Int?
    }
    static let console = Form.object(
        Console(), [.optional("length", \.length, .nullable(.whole(-1 ... .max)))])
    static let securityGroup = Form.plainName.inside("name")
}
