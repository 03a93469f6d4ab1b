package import CloudCore
import ImageFormats

/// An image as a machine is made from it: what its bytes are.
package struct MachineImage: Sendable, Hashable {
    package var reference: ImageReference
    /// Bytes of the disk that a guest sees.
    package var virtualBytes: Int64
    /// What the image names as its kernel and RAM disk.
    package var kernel: ContentID?
    package var ramdisk: ContentID?
    package var kernelArguments: String?

    /// - Throws: `badRequest` for what a machine cannot be made from.
    package init(content: String, format: String, virtualBytes: Int64) throws {
        guard let content = ContentID(content), let format = DiskFormat(rawValue: format) else {
            throw CloudError.badRequest("A machine cannot be made from an image of the format \(format).")
        }
        reference = ImageReference(content: content, format: format)
        self.virtualBytes = virtualBytes
    }

    /// Bytes of a disk that is as large as the image.
    package var wholeSectors: Int64 { (max(virtualBytes, 512) + 511) / 512 * 512 }

    /// The first stage of a start from the image.
    package var boot: MachineSpec.Boot {
        guard let kernel else { return .disk }
        let arguments = kernelArguments ?? "console=tty0 console=ttyS0"
        return .kernel(kernel, ramdisk: ramdisk, commandLine: "root=/dev/vda \(arguments)")
    }
}
