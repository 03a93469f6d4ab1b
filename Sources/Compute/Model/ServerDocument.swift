import CloudCore

/// The parts of a server that answers show.
enum ServerPart: Int, CaseIterable {
    case id, number, projectID, userID, name, description, hostname, power, host, pinnedZone, keyName, metadata
    case userData, hasConfigDrive, accessIPv4, accessIPv6, resizesDisk, groupID, reservationID, launchIndex, rootDevice
    case certificates, tags, createdAt, updatedAt, launchedAt, endedAt
    case flavorID, flavorName, vcpus, ram, disk, ephemeral, swap, extraSpecs
    case imageID, imageProperties, imageKernel, imageRamdisk, volumeKernel, volumeRamdisk
    case lockHolder, lockReason, hints

    /// The place in the stored value, as a path of Swift's.
    var path: String {
        switch self {
        case .description, .host, .pinnedZone, .keyName, .userData, .accessIPv4, .accessIPv6, .groupID, .certificates,
            .launchedAt, .endedAt:
            "\(self)?"
        case .flavorID: "flavor.id"
        case .flavorName: "flavor.name"
        case .vcpus: "flavor.vcpus"
        case .ram: "flavor.ramMiB"
        case .disk: "flavor.diskGiB"
        case .ephemeral: "flavor.ephemeralGiB"
        case .swap: "flavor.swapMiB"
        case .extraSpecs: "flavor.extraSpecs"
        case .imageID: "image?.id"
        case .imageProperties: "image?.properties"
        case .imageKernel: "image?.properties.kernel_id?"
        case .imageRamdisk: "image?.properties.ramdisk_id?"
        case .volumeKernel: "rootVolume?.imageProperties.kernel_id?"
        case .volumeRamdisk: "rootVolume?.imageProperties.ramdisk_id?"
        case .lockHolder: "lock?.holder"
        case .lockReason: "lock?.reason?"
        case .hints: "hints.given"
        default: "\(self)"
        }
    }
}

/// A server's document, of which answers show parts. Most parts are the same in the document and in an answer, so they
/// are copied. Decoding the whole server and encoding it again would take most of the time of a list.
struct ServerDocument {
    private let parts: StoredParts

    private static let paths = StoredPaths(ServerPart.allCases.map(\.path))

    /// - Throws: the error of a text that is no server.
    init(_ text: String) throws { parts = try StoredJSON.parts(Self.paths, of: Server.self, from: text) }

    func has(_ part: ServerPart) -> Bool { parts.has(part.rawValue) }
    func isTrue(_ part: ServerPart) -> Bool { parts.isTrue(part.rawValue) }
    func text(_ part: ServerPart) -> String? { parts.text(part.rawValue) }
    func integer(_ part: ServerPart) -> Int64? { parts.integer(part.rawValue) }
    func moment(_ part: ServerPart) -> Timestamp? { integer(part).map { Timestamp(microseconds: $0) } }

    /// Writes a part; in place of one that is missing, another text or null.
    func write(_ part: ServerPart, otherwise other: StaticString? = nil, into json: inout JSONWriter) {
        parts.write(part.rawValue, otherwise: other, into: &json)
    }
}

extension JSONWriter {
    /// Writes a member with a part of a server; in place of a missing one, another text or null.
    mutating func member(
        _ key: StaticString, _ server: ServerDocument, _ part: ServerPart, otherwise other: StaticString? = nil
    ) {
        self.key(key)
        server.write(part, otherwise: other, into: &self)
    }

    mutating func member(_ key: StaticString, _ server: ServerDocument, _ part: ServerPart, _ form: Timestamp.Form) {
        member(key, server.moment(part), form)
    }
}
