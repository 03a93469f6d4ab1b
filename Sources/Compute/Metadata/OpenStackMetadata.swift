import CloudCore

/// The tree of OpenStack: `/openstack/<version>/meta_data.json` and the files beside it.
struct OpenStackMetadata {
    /// The versions, named after the days of releases. Their order as texts is their order in time.
    static let versions = [
        "2012-08-10", "2013-04-04", "2013-10-17", "2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27", "2020-10-14", "2025-04-04",
    ]

    /// The first version that has a value or a file.
    private enum Since {
        static let seed = "2013-04-04"
        static let password = "2013-04-04"
        static let vendorData = "2013-10-17"
        static let networkData = "2015-10-15"
        static let projectID = "2015-10-15"
        static let devices = "2016-06-30"
        static let vendorData2 = "2016-10-06"
        static let trust = "2018-08-27"
        static let dedicatedCPUs = "2020-10-14"
    }

    /// The number of random bytes with which a guest seeds its own generator.
    private static let seedBytes = 512

    private let metadata: InstanceMetadata
    private let random: any Randomness

    init(_ metadata: InstanceMetadata, random: any Randomness) {
        self.metadata = metadata
        self.random = random
    }

    func answer(_ words: ArraySlice<String>) -> MetadataAnswer? {
        guard let word = words.first else { return .lines(Self.versions + ["latest"]) }
        guard let version = Self.version(word) else { return nil }
        let rest = words.dropFirst()
        guard let name = rest.first else { return .lines(names(version)) }
        guard rest.count == 1 else { return nil }
        if name == "password" { return version >= Since.password ? .password : nil }
        // As in the reference, older versions answer to this name without listing it.
        if name == "network_data.json" { return .json(networkData) }
        guard names(version).contains(name) else { return nil }
        switch name {
        case "meta_data.json": return .json(document(version, hasPassword: false))
        case "user_data": return metadata.userData.map { .text($0) }
        case "vendor_data.json": return .json(vendorData)
        case "vendor_data2.json": return .json(vendorData2)
        default: return nil
        }
    }

    var files: [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for word in Self.versions + ["latest"] {
            guard let version = Self.version(word) else { continue }
            for name in names(version) {
                let path = "openstack/\(word)/\(name)"
                switch name {
                case "meta_data.json": files[path] = document(version, hasPassword: true)
                case "user_data": files[path] = metadata.userData
                case "vendor_data.json": files[path] = vendorData
                case "vendor_data2.json": files[path] = vendorData2
                case "network_data.json": files[path] = networkData
                default: break
                }
            }
        }
        return files
    }

    private static func version(_ word: String) -> String? { word == "latest" ? versions.last : versions.contains(word) ? word : nil }

    private func names(_ version: String) -> [String] {
        var names = ["meta_data.json"]
        if metadata.userData != nil { names.append("user_data") }
        if version >= Since.password { names.append("password") }
        if version >= Since.vendorData { names.append("vendor_data.json") }
        if version >= Since.networkData { names.append("network_data.json") }
        if version >= Since.vendorData2 { names.append("vendor_data2.json") }
        return names
    }

    // MARK: Documents

    private func document(_ version: String, hasPassword: Bool) -> [UInt8] {
        var json = JSONWriter(capacity: 2048)
        json.object { json in
            json.member("uuid", metadata.id)
            if !metadata.metadata.isEmpty {
                json.object("meta") { json in
                    for (key, value) in metadata.metadata.sorted(by: { $0.key < $1.key }) {
                        json.key(dynamic: key)
                        json.string(value)
                    }
                }
            }
            if hasPassword, let password = metadata.adminPassword { json.member("admin_pass", password.reveal()) }
            if let key = metadata.key {
                json.object("public_keys") { json in
                    json.key(dynamic: key.name)
                    json.string(key.data)
                }
                json.array("keys", of: [key]) { json, key in
                    json.object { json in
                        json.member("name", key.name)
                        json.member("type", key.kind)
                        json.member("data", key.data)
                    }
                }
            }
            json.member("hostname", metadata.hostname)
            json.member("name", metadata.name)
            json.member("launch_index", metadata.launchIndex)
            json.member("availability_zone", metadata.zone)
            if version >= Since.seed { json.member("random_seed", Base64.encode(random.bytes(Self.seedBytes))) }
            if version >= Since.projectID { json.member("project_id", metadata.projectID) }
            if version >= Since.devices { json.array("devices", of: metadata.devices) { Self.write($1, version, &$0) } }
            if version >= Since.dedicatedCPUs { json.array("dedicated_cpus", of: metadata.dedicatedCPUs.sorted()) { $0.integer(Int64($1)) } }
        }
        return json.bytes
    }

    private static func write(_ device: InstanceMetadata.Device, _ version: String, _ json: inout JSONWriter) {
        json.object { json in
            if device.kind == "nic" {
                if version >= Since.trust { json.member("vf_trusted", false) }
                json.member("type", "nic")
                json.member("mac", device.mac)
            } else {
                json.member("type", device.kind)
                if let serial = device.serial { json.member("serial", serial) }
            }
            json.member("bus", device.bus)
            json.member("address", device.address)
            json.array("tags", of: device.tags) { $0.string($1) }
        }
    }

    private var vendorData: [UInt8] {
        var json = JSONWriter()
        json.object { $0.members(of: metadata.vendorData) }
        return json.bytes
    }

    private var vendorData2: [UInt8] {
        var json = JSONWriter()
        json.object { json in json.object("static") { $0.members(of: metadata.vendorData) } }
        return json.bytes
    }

    private var networkData: [UInt8] {
        var json = JSONWriter()
        NetworkData(metadata.interfaces).write(&json)
        return json.bytes
    }
}
