package import CloudCore

/// The result of inspecting an image's bytes.
package struct Inspection: Sendable {
    /// The formats whose signatures were found: one in an honest image, or `raw` if there are none.
    package let found: [DiskFormat]
    /// The format of the bytes; nil if they are of several formats at once, as in an image that is made to deceive one
    /// of two readers.
    package let format: DiskFormat?
    /// The size in bytes of the disk that a guest would see; nil if it is unknown or impossible.
    package let virtualSize: Int64?
    /// The size in bytes of the file, or of the part that was read so far.
    package let size: Int64
    package let isFinished: Bool
    package let refusals: [Refusal]

    init(_ findings: [Finding], size: UInt64, isFinished: Bool) {
        self.size = Int64(clamping: size)
        self.isFinished = isFinished
        found = findings.map(\.format)
        guard let finding = Self.choose(findings) else {
            (format, virtualSize) = (nil, nil)
            let names = found.map(\.rawValue).joined(separator: ", ")
            refusals = [Refusal("several_formats", "The image is of several formats at the same time: \(names).")]
            return
        }
        format = finding.format
        virtualSize = finding.virtualSize.map { Int64(clamping: $0) }
        refusals = finding.refusals
    }

    /// Returns the finding that counts; nil if the findings contradict one another.
    private static func choose(_ findings: [Finding]) -> Finding? {
        guard let first = findings.first else { return Finding(.raw) }
        if findings.count == 1 { return first }
        // A disk that ends with the footer of a fixed VHD begins as every disk does.
        if let footer = findings.first(where: \.isOnlyFooter) {
            return findings.allSatisfy { $0.isOnlyFooter || $0.format.isFlat } ? footer : nil
        }
        // An ISO that can be booted from a USB stick has a partition table before its file system.
        if Set(findings.map(\.format)) == [.iso, .gpt] { return findings.first { $0.format == .iso } }
        return nil
    }

    /// Checks that an image declared as `declared` may be accepted.
    ///
    /// - Throws: `unsupportedMediaType`, as in the Image API, with the reason.
    package func require(_ declared: DiskFormat) throws(CloudError) {
        guard let format else { throw Self.refused(refusals) }
        guard declared.accepts(format) else {
            throw CloudError(
                .unsupportedMediaType, "The image is declared as \(declared.rawValue), but its content is \(format.rawValue).",
                code: "format_mismatch")
        }
        guard refusals.isEmpty else { throw Self.refused(refusals) }
    }

    private static func refused(_ refusals: [Refusal]) -> CloudError {
        CloudError(
            .unsupportedMediaType, "The image is not safe to use. " + refusals.map(\.reason).joined(separator: " "),
            code: refusals.first?.check)
    }
}
