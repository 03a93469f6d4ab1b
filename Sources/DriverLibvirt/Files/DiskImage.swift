import CloudCore
import Drivers
import Foundation
import HostModel

/// The files of machines' disks. `qemu-img` never guesses: each call names every format, and reads only files that were
/// inspected (`ImageCache`) or made here.
enum DiskImage {
    static let program = "/usr/bin/qemu-img"

    /// Returns the virtual size of a file, in bytes.
    static func virtualBytes(_ path: String, isQCOW2: Bool) throws(CloudError) -> Int64 {
        let text = try HelperProgram.require(
            program, ["info", "--force-share", "--output=json", "-f", isQCOW2 ? "qcow2" : "raw", path], .short)
        guard let info = try? JSON.parse(text), let bytes = info["virtual-size"]?.integer else {
            throw .internalError("qemu-img info \(path) said \(text)")
        }
        return bytes
    }

    /// Makes a file for the guest's changes to a base, which itself stays as it is.
    ///
    /// - Throws: `badRequest` if the base is larger than the disk.
    static func makeOverlay(_ path: String, base: String, isQCOW2: Bool, virtualBytes: Int64) throws(CloudError) {
        let needed = try self.virtualBytes(base, isQCOW2: isQCOW2)
        guard needed <= virtualBytes else {
            throw .badRequest("The image needs a disk of \(needed) bytes, and the machine's has \(virtualBytes).")
        }
        try place(path) { draft throws(CloudError) in
            let format = isQCOW2 ? "qcow2" : "raw"
            try HelperProgram.require(program, ["create", "-q", "-f", "qcow2", "-F", format, "-b", base, draft, "\(virtualBytes)"], .short)
        }
    }

    /// Makes a file of zeros that takes no space until it is written to.
    static func makeBlank(_ path: String, virtualBytes: Int64, isSwap: Bool) throws(CloudError) {
        try place(path) { draft throws(CloudError) in
            let file = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw DurableFile.failure("make", draft) }
            defer { close(file) }
            guard ftruncate(file, off_t(virtualBytes)) == 0 else { throw DurableFile.failure("size", draft) }
            if isSwap, virtualBytes >= 40_960 {
                // This is what mkswap writes: version 1, the number of the last page, and the signature at the end of
                // the first 4 KiB page.
                var page = [UInt8](repeating: 0, count: 4096)
                let last = UInt32(truncatingIfNeeded: virtualBytes / 4096 - 1)
                page[1024] = 1
                for byte in 0..<4 { page[1028 + byte] = UInt8(truncatingIfNeeded: last >> UInt32(byte * 8)) }
                page.replaceSubrange(4086..<4096, with: Array("SWAPSPACE2".utf8))
                guard pwrite(file, page, page.count, 0) == page.count else { throw DurableFile.failure("write", draft) }
            }
        }
    }

    static func grow(_ path: String, isQCOW2: Bool, virtualBytes: Int64) throws(CloudError) {
        try HelperProgram.require(program, ["resize", "-q", "-f", isQCOW2 ? "qcow2" : "raw", path, "\(virtualBytes)"], .short)
        try DurableFile.sync(path)
    }

    /// Makes a flat copy of a disk to which nobody writes.
    static func copy(_ path: String, isQCOW2: Bool, to copy: String) throws(CloudError) {
        try place(copy) { draft throws(CloudError) in
            try HelperProgram.require(
                program, ["convert", "-q", "-f", isQCOW2 ? "qcow2" : "raw", "-O", "qcow2", path, draft], .long)
        }
    }

    /// Gives a file a second name, in place of what had this name.
    static func link(_ path: String, as name: String) throws(CloudError) {
        var (file, named) = (stat(), stat())
        guard stat(path, &file) == 0 else { throw DurableFile.failure("find", path) }
        if lstat(name, &named) == 0, named.st_ino == file.st_ino, named.st_dev == file.st_dev { return }
        let draft = name + ".draft"
        unlink(draft)
        guard Foundation.link(path, draft) == 0, rename(draft, name) == 0 else {
            throw DurableFile.failure("link", name)
        }
        try DurableFile.syncFolder((name as NSString).deletingLastPathComponent)
    }

    /// Makes a file under another name, and renames it when it is complete. If the process dies in between, the next
    /// try replaces the draft.
    static func place(_ path: String, _ make: (String) throws(CloudError) -> Void) throws(CloudError) {
        let draft = path + ".draft"
        unlink(draft)
        try make(draft)
        chmod(draft, 0o600)
        // A guest syncs what it writes later, which is worth nothing under a name that a power cut takes away.
        try DurableFile.publish(draft, as: path)
    }
}
