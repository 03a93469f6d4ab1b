import CloudCore
import Durable

/// A server as the API's user sees it. Its task is not stored here; the running workflow has it.
struct Server: StoredValue {
    static let storedName = "compute.server"

    var id: ID<Kind.Server>
    /// The number that makes the name shown by the hypervisor.
    var number: Int
    var projectID: String
    var userID: String
    var name: String
    var description: String?
    var hostname: String
    var state = VMState.building
    var power = PowerNumber.none
    /// The host that the server's machine is on, or is going to be on.
    var host: String?
    /// A second host that has a part of the server: while the server moves to another host, and until a resize is
    /// confirmed.
    var otherHost: String?
    /// The availability zone that the user asked for; nil for any.
    var pinnedZone: String?
    /// A copy of the flavor from when the server was created or resized. Later changes of the flavor do not affect the
    /// server.
    var flavor: Flavor
    /// The state before a resize; nil unless the resize waits for its confirmation.
    var former: Former?
    var image: ImageReference?
    /// The disks that the user described; nil for the flavor's.
    var disks: LocalDisks?
    /// The image behind the root disk if that is a volume; nil if it is a local disk.
    var rootVolume: RootVolume?
    /// The image that the server starts from while it is rescued.
    var rescueImage: ImageReference?
    /// The image that holds the server's disk while it is shelved. The server's owner owns it.
    var shelvedImage: ID<Kind.Image>?
    var keyName: String?
    var publicKey: String?
    var metadata: [String: String] = [:]
    var userData: String?
    /// The administrator's password as the guest posted it, encrypted with the owner's public key.
    var guestPassword: String?
    var hasConfigDrive = false
    var accessIPv4: String?
    var accessIPv6: String?
    var resizesDisk = false
    var lock: Lock?
    var groupID: ID<ServerGroup>?
    var hints = Hints()
    var reservationID: String
    var launchIndex = 0
    var rootDevice = "/dev/vda"
    var certificates: [String]?
    var tags: [String] = []
    /// The number of changes that were wanted of the server's machine. An agent refuses a change with an older number.
    var generation: Int64 = 0
    var createdAt: Timestamp
    var updatedAt: Timestamp
    var launchedAt: Timestamp?
    var endedAt: Timestamp?
    /// A fault that an operator has set; nil where a workflow's failure is the fault.
    var fault: Fault?

    /// The image that the server was created from, with its properties at that time.
    struct ImageReference: Sendable, Codable, Equatable {
        var id: ID<Kind.Image>
        var properties: [String: String]
        var minDiskGiB = 0
        var minMemoryMiB = 0

        /// Whether a rescue from the image leaves the server's disks in their places: the rescue's disk is another
        /// device, which the image describes.
        var isRescueDevice: Bool {
            properties["hw_rescue_device"] != nil && properties["hw_rescue_bus"] != nil
        }
    }

    /// The facts about a volume that a server starts from.
    struct RootVolume: Sendable, Codable, Equatable {
        /// The properties of the image that the volume was made from, at the time when the server was created.
        var imageProperties: [String: String]

        /// The image that the volume was made from; nil if it was made from none.
        var imageID: ID<Kind.Image>? { imageProperties["image_id"].map { ID($0) } }
    }

    /// The properties of the image behind the root disk.
    var imageProperties: [String: String] { image?.properties ?? rootVolume?.imageProperties ?? [:] }

    /// The part of its host's disk that the server takes beside its swap, in GiB. A root disk that is a volume takes
    /// nothing of it.
    var diskOnHostGiB: Int { (rootVolume == nil ? flavor.diskGiB : 0) + flavor.ephemeralGiB }

    /// The size and the host that the server had before a resize or a migration. A revert restores them.
    struct Former: Sendable, Codable {
        var flavor: Flavor
        var host: String
        var wasRunning: Bool
    }

    struct Lock: Sendable, Codable {
        enum Holder: String, Sendable, Codable { case owner, admin }
        var holder: Holder
        var reason: String?
    }

    struct Fault: Sendable, Codable {
        var code: Int
        var message: String
        var details: String?
        var at: Timestamp
    }

    /// The scheduler hints that a user gives.
    struct Hints: Sendable, Codable {
        var group: String?
        var sameHost: [String] = []
        var differentHost: [String] = []
        /// All hints as they were given, as JSON text.
        var given = "{}"
    }

    /// Returns the consumer that holds the server's share of its host.
    static func consumer(of id: ID<Kind.Server>) -> ID<Kind.Consumer> { ID(id.text) }
    /// Returns the consumer that holds the share of the source host until the server's migration is over.
    static func formerConsumer(of id: ID<Kind.Server>) -> ID<Kind.Consumer> {
        ID(UUIDText.derived(from: "former", in: id.text))
    }

    /// The kind of servers among the resources of workflows.
    static let resourceKind = "compute.server"
    static func resource(_ id: ID<Kind.Server>) -> ResourceKey { ResourceKey("\(resourceKind)/\(id)") }
    var resource: ResourceKey { Self.resource(id) }

    /// Returns the name that the hypervisor shows, such as `instance-0000002a`.
    static func hypervisorName(of number: Int64) -> String {
        let digits = String(number, radix: 16)
        return "instance-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    }
}

/// The state of a server while no workflow works on it. A new one is `building`, and becomes `active` or `error`.
/// Actions lead from state to state. An undone workflow leaves the server as it was, unless the picture says otherwise.
///
/// ```
///   action         from                                          to
///   os-start       stopped                                   ──▶ active
///   os-stop        active, error                             ──▶ stopped
///   pause          active                                    ──▶ paused
///   unpause        paused                                    ──▶ active
///   suspend        active                                    ──▶ suspended
///   resume         suspended                                 ──▶ active
///   reboot         active                                    ──▶ active
///   reboot         active, paused, suspended, stopped, error ──▶ active
///   rebuild        active, stopped, error                    ──▶ active, stopped; undone, error
///   rebuild        active, stopped, error                    ──▶ active, stopped; undone, error
///   rescue         active, stopped, error                    ──▶ rescued
///   unrescue       rescued                                   ──▶ active
///   createImage    active, paused, suspended, stopped        ──▶ the same
///   createImage    active, paused, suspended, stopped        ──▶ the same
///   createBackup   active, paused, suspended, stopped        ──▶ the same
///   resize         active, stopped                           ──▶ resized
///   migrate        active, stopped                           ──▶ resized
///   confirmResize  resized                                   ──▶ active, stopped
///   revertResize   resized                                   ──▶ active, stopped
///   os-migrateLive active, paused                            ──▶ the same
///   evacuate       active, stopped, error                    ──▶ active, stopped
///   shelve         active, paused, suspended, stopped        ──▶ shelved, shelved_offloaded
///   shelve         active, paused, suspended, stopped        ──▶ shelved_offloaded
///   shelveOffload  shelved                                   ──▶ shelved_offloaded
///   unshelve       shelved, shelved_offloaded                ──▶ active
///   forceDelete    any                                       ──▶ deleted
///   os-resetState  any                                       ──▶ active, error
/// ```
///
/// Nothing leads to `soft-delete`; queries may ask for it.
enum VMState: String, Sendable, Codable, CaseIterable {
    case building, active, paused, suspended, stopped, resized, error, deleted
    case rescued, shelved
    case softDeleted = "soft-delete"
    case shelvedOffloaded = "shelved_offloaded"
}

/// The power state of a machine. Its raw value is the number that the API shows and that rows store.
enum PowerNumber: Int, Sendable, Codable {
    case none = 0
    case running = 1
    case paused = 3
    case off = 4
    case crashed = 6
    case suspended = 7
}

/// The status that users see: one word for the state and the task together.
enum ServerStatus {
    static func text(_ state: VMState, task: String?) -> String {
        switch (state, task ?? "") {
        case (.active, "rebooting"), (.active, "reboot_pending"), (.active, "reboot_started"): "REBOOT"
        case (_, "rebooting_hard"): "HARD_REBOOT"
        case (.active, "updating_password"): "PASSWORD"
        case (.active, let task) where task.hasPrefix("rebuild"), (.stopped, let task) where task.hasPrefix("rebuild"),
            (.error, let task) where task.hasPrefix("rebuild"):
            "REBUILD"
        case (.active, "migrating"), (.paused, "migrating"): "MIGRATING"
        case (.resized, "resize_reverting"): "REVERT_RESIZE"
        case (.active, let task) where task.hasPrefix("resize_"), (.stopped, let task) where task.hasPrefix("resize_"): "RESIZE"
        case (.active, _): "ACTIVE"
        case (.building, _): "BUILD"
        case (.stopped, _): "SHUTOFF"
        case (.resized, _): "VERIFY_RESIZE"
        case (.paused, _): "PAUSED"
        case (.suspended, _): "SUSPENDED"
        case (.error, _): "ERROR"
        case (.deleted, _): "DELETED"
        case (.softDeleted, _): "SOFT_DELETED"
        case (.rescued, _): "RESCUE"
        case (.shelved, _): "SHELVED"
        case (.shelvedOffloaded, _): "SHELVED_OFFLOADED"
        }
    }

    private static let states: [String: Set<VMState>] = [
        "ACTIVE": [.active], "BUILD": [.building], "SHUTOFF": [.stopped], "VERIFY_RESIZE": [.resized], "PAUSED": [.paused],
        "SUSPENDED": [.suspended], "ERROR": [.error], "DELETED": [.deleted], "SOFT_DELETED": [.softDeleted], "RESCUE": [.rescued],
        "SHELVED": [.shelved], "SHELVED_OFFLOADED": [.shelvedOffloaded], "REBOOT": [.active],
        "HARD_REBOOT": [.active, .stopped, .paused, .suspended, .error], "PASSWORD": [.active], "REBUILD": [.active, .stopped, .error],
        "RESIZE": [.active, .stopped], "MIGRATING": [.active, .paused], "REVERT_RESIZE": [.resized],
    ]

    /// The statuses of servers on which a workflow works.
    static let ofTasks: Set<String> = [
        "BUILD", "REBOOT", "HARD_REBOOT", "PASSWORD", "REBUILD", "RESIZE", "MIGRATING", "REVERT_RESIZE",
    ]

    /// Returns the states that a status can stand for; nil for an unknown status.
    static func states(of text: String) -> Set<VMState>? { states[text.uppercased()] }
}
