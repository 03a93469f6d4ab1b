import CloudCore

/// The bodies of servers, by microversion.
enum ServerShapes {
    static let tag = BodyShape.text(1...60, .tag)
    private static let address4 = BodyShape.text(0...Int.max, .ipv4OrNone)
    private static let address6 = BodyShape.text(0...Int.max, .ipv6OrNone)
    private static let diskConfig = BodyShape.word(of: ["AUTO", "MANUAL"])
    static let flavorReference = BodyShape.either([.text(1...2048), .integer(0 ... .max, orText: false)])
    static let password = BodyShape.text(0...Int.max)
    static let description = BodyShape.null(or: .text(0...255, .printable))
    private static let userData = BodyShape.text(0...65_535, .base64)
    private static let certificates = BodyShape.null(or: .list(.text(1...Int.max), 1...50, unique: true))
    private static let personality = BodyShape.list(.object([("path", .text()), ("contents", .text(0...Int.max, .base64))], required: ["contents"]))

    private static func hostname(_ minor: Int) -> BodyShape { minor >= 94 ? .hostName : .text(2...63, .hostname) }

    private static func networks(_ minor: Int) -> BodyShape {
        var members: [(String, BodyShape)] = [
            ("fixed_ip", .either([.text(0...Int.max, .ipv4), .text(0...Int.max, .ipv6)])), ("port", .null(or: .uuid)),
            ("uuid", minor >= 37 ? .uuid : .text()),
        ]
        if minor >= 42 || (32...36).contains(minor) { members.append(("tag", tag)) }
        let list = BodyShape.list(.object(members))
        return minor >= 37 ? .either([list, .word(of: ["none", "auto"])]) : list
    }

    /// The members that both forms of a device have.
    private static let device: [(String, BodyShape)] = [
        ("virtual_name", .text(0...255)), ("volume_id", .uuid), ("snapshot_id", .uuid), ("volume_size", .integer(1...BodyShape.largestInteger)),
        ("device_name", .text(1...255, .deviceName)), ("delete_on_termination", .boolean), ("no_device", .any),
        ("connection_info", .text(0...16_777_215)),
    ]

    private static func devices(_ minor: Int) -> BodyShape {
        var members: [(String, BodyShape)] = device + [
            ("source_type", .word(of: ["volume", "image", "snapshot", "blank"])), ("uuid", .text(1...255, .domainName)), ("image_id", .uuid),
            ("destination_type", .word(of: ["local", "volume"])), ("guest_format", .text(0...255)), ("device_type", .text(0...255)),
            ("disk_bus", .text(0...255)), ("boot_index", .null(or: .integer(Int64.min ... Int64.max))),
        ]
        if minor >= 42 || minor == 32 { members.append(("tag", tag)) }
        if minor >= 67 { members.append(("volume_type", .null(or: .text(0...255)))) }
        return .list(.object(members))
    }

    private static let ids = BodyShape.either([.uuid, .list(.uuid)])
    private static let hints = BodyShape.object(
        [
            ("group", ids), ("different_host", ids), ("same_host", .either([.text(), .list(.uuid)])),
            ("query", .either([.text(), .object([], open: true)])), ("target_cell", .name),
            ("different_cell", .either([.text(), .list(.text())])), ("build_near_host_ip", .either([.text(0...Int.max, .ipv4), .text(0...Int.max, .ipv6)])),
            ("cidr", .text()),
        ], open: true)

    static func create(_ minor: Int) -> BodyShape {
        var members: [(String, BodyShape)] = [
            ("name", .name), ("imageRef", .either([.uuid, .text(0...0)])), ("flavorRef", flavorReference), ("adminPass", password),
            ("metadata", .metadata), ("networks", networks(minor)), ("OS-DCF:diskConfig", diskConfig), ("accessIPv4", address4),
            ("accessIPv6", address6), ("availability_zone", .name), ("block_device_mapping", .list(.object(device))),
            ("block_device_mapping_v2", devices(minor)), ("config_drive", .boolean), ("key_name", .name), ("min_count", .positive),
            ("max_count", .positive), ("return_reservation_id", .boolean), ("security_groups", .list(.object([("name", .name)]))),
            ("user_data", userData),
        ]
        if minor < 57 { members.append(("personality", personality)) }
        if minor >= 19 { members.append(("description", description)) }
        if minor >= 52 { members.append(("tags", .list(tag, 0...50))) }
        if minor >= 63 { members.append(("trusted_image_certificates", certificates)) }
        if minor >= 74 { members += [("host", .hostName), ("hypervisor_hostname", .hostName)] }
        if minor >= 90 { members.append(("hostname", hostname(minor))) }
        return .object(
            [
                ("server", .object(members, required: ["name", "flavorRef"] + (minor >= 37 ? ["networks"] : []))),
                ("os:scheduler_hints", hints), ("OS-SCH-HNT:scheduler_hints", hints),
            ], required: ["server"])
    }

    static func update(_ minor: Int) -> BodyShape {
        var members: [(String, BodyShape)] = [
            ("name", .name), ("OS-DCF:diskConfig", diskConfig), ("accessIPv4", address4), ("accessIPv6", address6),
        ]
        if minor >= 19 { members.append(("description", description)) }
        if minor >= 90 { members.append(("hostname", hostname(minor))) }
        if minor >= 104 { members.append(("pinned_availability_zone", .null(or: .text(1...255)))) }
        return .envelope("server", members)
    }

    static func rebuild(_ minor: Int) -> BodyShape {
        var members: [(String, BodyShape)] = [
            ("name", .name), ("imageRef", .uuid), ("adminPass", password), ("metadata", .metadata), ("preserve_ephemeral", .boolean),
            ("OS-DCF:diskConfig", diskConfig), ("accessIPv4", address4), ("accessIPv6", address6),
        ]
        if minor < 57 { members.append(("personality", personality)) } else { members.append(("user_data", .null(or: userData))) }
        if minor >= 19 { members.append(("description", description)) }
        if minor >= 54 { members.append(("key_name", .null(or: .text(1...255)))) }
        if minor >= 63 { members.append(("trusted_image_certificates", certificates)) }
        if minor >= 90 { members.append(("hostname", hostname(minor))) }
        return .envelope("rebuild", members, required: ["imageRef"])
    }

    static let resize = BodyShape.envelope(
        "resize", [("flavorRef", flavorReference), ("OS-DCF:diskConfig", diskConfig)], required: ["flavorRef"])
    static let createImage = BodyShape.envelope("createImage", [("name", .name), ("metadata", .metadata)], required: ["name"])
    static let createBackup = BodyShape.envelope(
        "createBackup", [("name", .name), ("backup_type", .text()), ("rotation", .natural), ("metadata", .metadata)],
        required: ["name", "backup_type", "rotation"])
    static let reboot = BodyShape.envelope("reboot", [("type", .word(of: ["HARD", "Hard", "hard", "SOFT", "Soft", "soft"]))], required: ["type"])

    /// An address in its one canonical form; nil for none.
    static func address(_ given: JSON?) -> String? { given?.string.flatMap { IPAddress($0)?.description } }

    /// A flavor's id, also where it was given as a link or a number.
    static func flavorID(_ given: JSON?) -> String {
        let text = given?.string ?? given?.text ?? ""
        return text.split(separator: "/").last.map(String.init) ?? text
    }
}

extension BodyShape.Format {
    static let ipv4OrNone = either(ipv4)
    static let ipv6OrNone = either(ipv6)
}
