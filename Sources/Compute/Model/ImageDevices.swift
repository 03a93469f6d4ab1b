import CloudCore

/// The properties by which an image describes the devices of servers that are made from it, in the reference's words.
/// Such an image has no bytes: the devices are volumes that are made of snapshots.
enum ImageDevices {
    static let mapping = "block_device_mapping"
    static let isNewer = "bdm_v2"
    static let rootDevice = "root_device_name"
    /// The names of all of them, and of the oldest form, which is not understood.
    static let names = [mapping, isNewer, rootDevice, "mappings"]

    /// The members of a device that are null unless they are said.
    private static let members = [
        "source_type", "destination_type", "guest_format", "device_type", "disk_bus", "boot_index", "device_name",
        "delete_on_termination", "snapshot_id", "volume_id", "volume_size", "image_id", "no_device", "tag",
        "volume_type", "encrypted", "encryption_secret_uuid", "encryption_format", "encryption_options",
    ]

    private static func device(_ given: JSONObject) -> JSON {
        var device = JSONObject(members.map { ($0, JSON.null) })
        for (name, value) in given.members { device[name] = value }
        return .object(device)
    }

    /// Returns the properties for an image of a server's devices.
    ///
    /// - Parameters:
    ///   - snapshots: the snapshots of the volumes, in the same order.
    ///   - sizes: the sizes of the volumes in GiB.
    static func properties(
        of server: Server, _ volumes: [ServerVolume], _ snapshots: [ID<Kind.Snapshot>], sizes: [Int]
    ) -> [String: String] {
        var devices = (server.disks?.ephemeral ?? []).map { local($0.sizeGiB, $0.bus, format: nil) }
        if let swap = server.disks?.swap { devices.append(local(swap.sizeMiB, swap.bus, format: "swap")) }
        for (volume, (snapshot, size)) in zip(volumes, zip(snapshots, sizes)) {
            devices.append(
                device([
                    "source_type": "snapshot", "destination_type": "volume", "snapshot_id": .string(snapshot.text),
                    "device_type": .string(volume.isCD ? "cdrom" : "disk"),
                    "disk_bus": volume.bus.map { JSON.string($0) } ?? .null,
                    "boot_index": volume.bootIndex.map { JSON.integer(Int64($0)) } ?? .null,
                    "device_name": .string(volume.device), "volume_size": .integer(Int64(size)),
                    "delete_on_termination": .bool(volume.isDeletedWithServer),
                ]))
        }
        return [
            mapping: JSON.array(devices).text, isNewer: "True", rootDevice: server.rootDevice,
        ]
    }

    private static func local(_ size: Int?, _ bus: String?, format: String?) -> JSON {
        device([
            "source_type": "blank", "destination_type": "local", "device_type": "disk", "boot_index": -1,
            "delete_on_termination": true, "guest_format": format.map { JSON.string($0) } ?? .null,
            "disk_bus": bus.map { JSON.string($0) } ?? .null,
            "volume_size": size.map { JSON.integer(Int64($0)) } ?? .null,
        ])
    }
}
