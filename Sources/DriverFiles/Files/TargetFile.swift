import HostModel

/// A file to make: its name when it is whole, and its name before.
struct TargetFile: Sendable {
    var path: String
    var draft: String
    var form: Form

    struct Form: Sendable {
        /// The size that a guest sees, in bytes.
        var bytes: Int64
        var format: VolumeFormat
        var isThin = true
    }

    var bytes: Int64 { form.bytes }
    var format: VolumeFormat { form.format }
    var isThin: Bool { form.isThin }
}
