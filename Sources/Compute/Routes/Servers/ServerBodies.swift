import CloudCore
import HTTPKit

/// The body of `POST /servers`: the wish for a server, and the members that are not part of it.
struct NewServer: Sendable {
    enum Networks: Sendable {
        case automatic, nothing
        case listed([Network])
    }

    struct Network: Sendable {
        var network: String?
        var port: String?
        var address: String?
        var tag: String?
    }

    var wish = ServerCreation.Wish()
    var password: String?
    var networks: Networks?
    /// The value of `availability_zone`: a zone, or for administrators `zone:host:node`.
    var place: String?
    var host: String?
    var node: String?
    var olderDevices: [BlockDevice] = []
    var devices: [BlockDevice] = []
    var most: Int?
    /// The security groups as they were given. The answer repeats them.
    var givenGroups: JSON?
    var answersWithReservation = false
}

/// Changes to a server's own attributes by an update or a rebuild.
struct ServerChange: Sendable {
    var name: String?
    var description = Update<String>.keep
    var hostname: String?
    var metadata: [String: String]?
    var userData = Update<String>.keep
    var keyName = Update<String>.keep
    var accessIPv4 = Update<String>.keep
    var accessIPv6 = Update<String>.keep
    var resizesDisk: Bool?
    var certificates = Update<[String]>.keep
    var pinnedZone = Update<String>.keep

    /// Applies all changes but those of the key and of the zone, which need other rows.
    func apply(to server: inout Server) {
        if let name { server.name = name }
        description.apply(to: &server.description)
        if let hostname { server.hostname = hostname }
        if let metadata { server.metadata = metadata }
        userData.apply(to: &server.userData)
        accessIPv4.apply(to: &server.accessIPv4)
        accessIPv6.apply(to: &server.accessIPv6)
        if let resizesDisk { server.resizesDisk = resizesDisk }
        certificates.apply(to: &server.certificates)
    }
}

/// The bodies of servers, in all microversions.
enum ServerBodies {
    struct Rebuild: Sendable {
        var imageID = ""
        var password: String?
        var change = ServerChange()
    }

    // MARK: Common members

    static let flavorID = Form(.either([.string(1...2048), .integer(0 ... .max)])) { json in
        // A flavor may be given as an id, a link or a number.
        let text = json.string ?? json.text
        return text.split(separator: "/").last.map(String.init) ?? text
    }
    /// The form of `OS-DCF:diskConfig`; the value tells whether a resize fits the guest's file system to its disk.
    static let diskConfig = Form.oneOf(["AUTO", "MANUAL"]).mapped { $0 == "AUTO" }
    private static let description = Form.string(0...255, .printable)
    private static let userData = Form.string(0...65_535, .base64)
    private static let certificates = Form.array(.string(1...Int.max), 1...50, unique: true)
    private static let hostname = Form.string(2...63, .hostname)
    private static let personality = Shape.array(
        .object([.init("path", .any), .init("contents", .string(0...Int.max, .base64), required: true)]))

    /// Returns the form of an address of a family, whose value is the address in its canonical form. An empty text
    /// stands for no address.
    private static func address(_ family: TextFormat) -> Form<String?> {
        Form.string(0...Int.max, .orEmpty(family)).mapped { IPAddress($0)?.description }
    }

    // MARK: Create

    private static func network(uuid: Form<String>) -> Form<NewServer.Network> {
        .object(
            NewServer.Network(),
            [
                .optional("uuid", \.network, uuid), .optional("port", \.port, .nullable(.uuid)),
                .optional("fixed_ip", \.address, .givenAddress), .optional("tag", \.tag, .tag, since: 32, until: 36),
                .optional("tag", \.tag, .tag, since: 42),
            ])
    }

    private static let listedNetworks = Form.array(network(uuid: .uuid)).mapped { NewServer.Networks.listed($0) }
    private static let networks = Form<NewServer.Networks>(.either([listedNetworks.shape, .oneOf(["none", "auto"])])) { json, minor in
        switch json.string {
        case "none": .nothing
        case "auto": .automatic
        default: try listedNetworks.readChecked(json, minor)
        }
    }

    private static let ids = Shape.either([.uuid, .array(.uuid)])
    private static let hints = Form(
        .object(
            [
                .init("group", ids), .init("different_host", ids), .init("same_host", .either([.string(0...Int.max), .array(.uuid)])),
                .init("query", .either([.string(0...Int.max), .openObject])), .init("target_cell", .plainName),
                .init("different_cell", .either([.string(0...Int.max), .array(.string(0...Int.max))])),
                .init("build_near_host_ip", .address), .init("cidr", .string(0...Int.max)),
            ], open: true)
    ) { given in
        func list(_ name: String) -> [String] { given[name]?.array?.compactMap(\.string) ?? [given[name]?.string].compactMap(\.self) }
        return Server.Hints(
            group: list("group").first, sameHost: list("same_host"), differentHost: list("different_host"), given: given.text)
    }

    private static let server = Form.object(
        NewServer(),
        [
            .required("name", \.wish.name, .plainName), .required("flavorRef", \.wish.flavorID, flavorID),
            .optional("imageRef", \.wish.imageID, Form(.either([.uuid, .string(0...0)])) { $0.string }.mapped { $0.isEmpty ? nil : $0 }),
            .optional("adminPass", \.password, .string()), .optional("metadata", \.wish.metadata, .metadata),
            .optional("networks", \.networks, Form.array(network(uuid: .string())).mapped { .listed($0) }, until: 36),
            .required("networks", \.networks, networks.mapped { $0 }, since: 37),
            .optional("OS-DCF:diskConfig", \.wish.resizesDisk, diskConfig),
            .optional("accessIPv4", \.wish.accessIPv4, address(.ipv4)), .optional("accessIPv6", \.wish.accessIPv6, address(.ipv6)),
            .optional("availability_zone", \.place, .string(1...255, .plainName)),
            .optional("block_device_mapping", \.olderDevices, .array(BlockDevice.older)),
            .optional("block_device_mapping_v2", \.devices, .array(BlockDevice.form)),
            .optional("config_drive", \.wish.hasConfigDrive, .truth), .optional("key_name", \.wish.keyName, .string(1...255, .plainName)),
            .optional("min_count", \.wish.least, .positive), .optional("max_count", \.most, .positive),
            .optional("return_reservation_id", \.answersWithReservation, .truth),
            .optional("security_groups", \.givenGroups, .json(.array(.object([.init("name", .plainName)])))),
            .optional("user_data", \.wish.userData, userData), .ignored("personality", personality, until: 56),
            .optional("description", \.wish.description, .nullable(description), since: 19),
            .optional("tags", \.wish.tags, .tags, since: 52),
            .optional("trusted_image_certificates", \.wish.certificates, .nullable(certificates), since: 63),
            .optional("host", \.host, .hostName, since: 74), .optional("hypervisor_hostname", \.node, .hostName, since: 74),
            .optional("hostname", \.wish.hostname, hostname, since: 90, until: 93), .optional("hostname", \.wish.hostname, .hostName, since: 94),
        ])

    struct Create: Sendable {
        var server = NewServer()
        var hints: Server.Hints?
        var olderHints: Server.Hints?
    }

    static let create = Form.object(
        Create(),
        [
            .required("server", \.server, server), .optional("os:scheduler_hints", \.hints, hints),
            .optional("OS-SCH-HNT:scheduler_hints", \.olderHints, hints),
        ])

    // MARK: Changes

    /// The members that an update and a rebuild share.
    private static let changes: [FormMember<ServerChange>] = [
        .optional("name", \.name, .plainName), .optional("OS-DCF:diskConfig", \.resizesDisk, diskConfig),
        .optional("accessIPv4", \.accessIPv4, address(.ipv4).mapped { Update($0) }),
        .optional("accessIPv6", \.accessIPv6, address(.ipv6).mapped { Update($0) }),
        .update("description", \.description, description, since: 19), .optional("hostname", \.hostname, hostname, since: 90, until: 93),
        .optional("hostname", \.hostname, .hostName, since: 94),
    ]

    static let update = Form.object(
        ServerChange(), changes + [.update("pinned_availability_zone", \.pinnedZone, .string(1...255), since: 104)]
    ).inside("server")

    static let rebuild = Form.object(
        Rebuild(),
        [.required("imageRef", \.imageID, .uuid), .optional("adminPass", \.password, .string())]
            + (changes + [
                .optional("metadata", \.metadata, .metadata), .ignored("preserve_ephemeral", .truth),
                .ignored("personality", personality, until: 56), .update("user_data", \.userData, userData, since: 57),
                .update("key_name", \.keyName, .string(1...255), since: 54),
                .update("trusted_image_certificates", \.certificates, certificates, since: 63),
            ]).map { $0.of(\.change) })
}
