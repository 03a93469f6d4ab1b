import CloudCore
import HostModel

/// The tree of EC2 with one value for each path: `/latest/meta-data/...`.
struct EC2Metadata {
    static let versions = [
        "1.0", "2007-01-19", "2007-03-01", "2007-08-29", "2007-10-10", "2007-12-15", "2008-02-01", "2008-09-01", "2009-04-04",
    ]

    private indirect enum Node {
        case text(String)
        case bytes([UInt8])
        case list([String])
        /// A folder. `line` stands for it in the list of its parent; nil for its name and a slash.
        case folder([String: Node], line: String?)
    }

    private let metadata: InstanceMetadata

    init(_ metadata: InstanceMetadata) { self.metadata = metadata }

    func answer(_ words: ArraySlice<String>) -> MetadataAnswer? {
        guard let word = words.first else { return .lines(Self.versions + ["latest"]) }
        guard var node = tree(word) else { return nil }
        for name in words.dropFirst() {
            guard case .folder(let children, _) = node, let child = children[name] else { return nil }
            node = child
        }
        switch node {
        case .text(let text): return .text(Array(text.utf8))
        case .bytes(let bytes): return .text(bytes)
        case .list(let lines): return .lines(lines)
        case .folder(let children, _):
            return .lines(children.sorted { $0.key < $1.key }.map { name, child in
                if case .folder(_, let line) = child { line ?? name + "/" } else { name }
            })
        }
    }

    /// The files for a config drive. Only the newest version and `latest` are there.
    var files: [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for word in [Self.versions.last, "latest"].compactMap({ $0 }) {
            guard case .folder(let children, _)? = tree(word) else { continue }
            if case .bytes(let bytes)? = children["user-data"] { files["ec2/\(word)/user-data"] = bytes }
            if let node = children["meta-data"] {
                var json = JSONWriter()
                json.value(Self.json(node))
                files["ec2/\(word)/meta-data.json"] = json.bytes
            }
        }
        return files
    }

    private static func json(_ node: Node) -> JSON {
        switch node {
        case .text(let text): .string(text)
        case .bytes(let bytes): .string(String(decoding: bytes, as: UTF8.self))
        case .list(let lines): .array(lines.map { .string($0) })
        case .folder(let children, _): .object(JSONObject(children.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) }))
        }
    }

    private func tree(_ word: String) -> Node? {
        guard let version = word == "latest" ? Self.versions.last : word, let at = Self.versions.firstIndex(of: version) else { return nil }
        func isSince(_ first: String) -> Bool { Self.versions.firstIndex(of: first).map { $0 <= at } ?? false }
        var values = basics
        if isSince("2007-01-19") {
            values["local-hostname"] = .text(metadata.hostname)
            values["public-hostname"] = .text(metadata.hostname)
            values["public-ipv4"] = .text(metadata.interfaces.flatMap(\.floatingIPs).first?.description ?? "")
        }
        if isSince("2007-08-29") { values["instance-type"] = .text(metadata.flavor) }
        if isSince("2007-12-15") {
            values["block-device-mapping"] = .folder(devices, line: nil)
            if let kernel = metadata.kernelID { values["kernel-id"] = .text(Self.short("aki", kernel)) }
            if let ramdisk = metadata.ramdiskID { values["ramdisk-id"] = .text(Self.short("ari", ramdisk)) }
        }
        if isSince("2008-02-01") { values["placement"] = .folder(["availability-zone": .text(metadata.zone)], line: nil) }
        if isSince("2008-09-01") { values["instance-action"] = .text("none") }
        var top: [String: Node] = ["meta-data": .folder(values, line: nil)]
        if let userData = metadata.userData { top["user-data"] = .bytes(userData) }
        return .folder(top, line: nil)
    }

    private var basics: [String: Node] {
        let addresses = metadata.interfaces.flatMap(\.subnets).map(\.address)
        var values: [String: Node] = [
            "ami-id": .text(metadata.imageID.map { Self.short("ami", $0) } ?? ""), "ami-launch-index": .text(String(metadata.launchIndex)),
            "ami-manifest-path": .text("none"), "instance-id": .text(Self.short("i", metadata.id)), "hostname": .text(metadata.hostname),
            "local-ipv4": .text(addresses.first { $0.version == .v4 }?.description ?? ""), "reservation-id": .text(metadata.reservationID),
            "security-groups": .list(metadata.securityGroups),
        ]
        if let key = metadata.key {
            values["public-keys"] = .folder(["0": .folder(["openssh-key": .text(key.data)], line: "0=" + key.name)], line: nil)
        }
        return values
    }

    private var devices: [String: Node] {
        let root = metadata.rootDevice
        var devices: [String: Node] = ["ami": .text(root.hasPrefix("/dev/") ? String(root.dropFirst(5)) : root), "root": .text(root)]
        for (number, device) in metadata.ephemeralDevices.enumerated() { devices["ephemeral\(number)"] = .text(device) }
        if let swap = metadata.swapDevice { devices["swap"] = .text(swap) }
        return devices
    }

    /// Returns an id in EC2's form, which has eight digits: the first eight of our id, which are random.
    private static func short(_ kind: String, _ id: String) -> String { kind + "-" + id.prefix(8) }
}
