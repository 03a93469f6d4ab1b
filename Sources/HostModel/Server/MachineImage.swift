package import CloudCore
import ImageFormats

/// The facts about an image's bytes that matter for making a machine.
package struct MachineImage: Sendable, Hashable {
    package var reference: ImageReference
    /// The size of the disk that a guest sees, in bytes.
    package var virtualBytes: Int64
    /// The images that this image names as its kernel and its RAM disk.
    package var kernel: ContentID?
    package var ramdisk: ContentID?
    package var kernelArguments: String?

    /// - Throws: `badRequest` for an image from which no machine can be made.
    package init(content: String, format: String, virtualBytes: Int64) throws {
        guard let content = ContentID(content), let format = DiskFormat(rawValue: format) else {
            throw CloudError.badRequest("A machine cannot be made from an image of the format \(format).")
        }
        reference = ImageReference(content: content, format: format)
        self.virtualBytes = virtualBytes
    }

    /// The size of a disk that holds the image, in bytes of whole sectors.
    package var wholeSectors: Int64 { (max(virtualBytes, 512) + 511) / 512 * 512 }

    /// The first stage of a start from the image.
    package var boot: MachineSpec.Boot {
        Self.boot(kernel: kernel, ramdisk: ramdisk, arguments: kernelArguments)
    }

    /// Returns the first stage of a start with a kernel; without one the firmware tries the disks.
    package static func boot(kernel: ContentID?, ramdisk: ContentID?, arguments: String?) -> MachineSpec.Boot {
        guard let kernel else { return .disk }
        return .kernel(
            kernel, ramdisk: ramdisk, commandLine: "root=/dev/vda \(arguments ?? "console=tty0 console=ttyS0")")
    }
}
