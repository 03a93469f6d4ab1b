import CloudCore

/// The connection of an attachment as the API shows it. It has ids alone: a path or a secret of a host is nobody's
/// business, and the host that uses the volume learns the rest from the control plane.
enum ConnectionInfo {
    static let kind = "novella"

    /// Returns the members in one object, as attachments show them.
    static func flat(_ attachment: VolumeAttachment) -> JSONObject {
        var info = data(attachment.volumeID, mode: attachment.mode)
        info["driver_volume_type"] = .string(kind)
        info["attachment_id"] = .string(attachment.id.text)
        return info
    }

    /// Returns the members of `data`, as the older way of attaching shows them.
    static func data(_ volume: ID<Kind.Volume>, mode: String?) -> JSONObject {
        [
            "volume_id": .string(volume.text), "access_mode": .string(mode == "ro" ? "ro" : "rw"), "encrypted": false,
            "discard": true,
        ]
    }
}
