/// A file of a pool that is no volume and could become one.
package struct ManageableVolume: Hashable, Sendable, Codable {
    /// The name by which `adopt` finds it.
    package var name: String
    package var bytes: Int64
    package var format: VolumeFormat
    /// The reason why it cannot become a volume, for people; nil if it can.
    package var refusal: String?

    package init(name: String, bytes: Int64, format: VolumeFormat, refusal: String? = nil) {
        self.name = name
        self.bytes = bytes
        self.format = format
        self.refusal = refusal
    }
}
