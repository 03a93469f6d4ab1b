import CloudCore
import Drivers
import Foundation
import HostModel

/// The files of a machine, made as its specification says. The work may be repeated, and continues where it was
/// interrupted.
struct MachineFiles {
    let folder: MachineFolder
    /// The group of the guest's user; nil if the guest has no user of its own.
    var group: UInt32?

    /// Makes missing files, enlarges those that are too small, and removes those that are no longer wanted. The machine
    /// must be off.
    ///
    /// - Parameter images: the files of the images that the machine needs.
    /// - Returns: the sizes that the disks have now, in bytes.
    func settle(_ machine: HostedMachine, _ images: [ImageReference: String]) throws(CloudError) -> [String: Int64] {
        try makeFolder()
        var sizes = machine.sizes
        let spec = machine.spec.asStarted
        let local = spec.disks.filter(\.isLocal)
        let files = Set(local.map { folder.file(of: $0) } + local.map { folder.base(of: $0) })
        let endings = [".qcow2", ".raw", ".iso", ".base", ".draft"]
        for name in DurableFile.names(in: folder.path) where endings.contains(where: name.hasSuffix) {
            if !files.contains("\(folder.path)/\(name)") { unlink("\(folder.path)/\(name)") }
        }
        for disk in spec.disks where disk.isLocal {
            let file = folder.file(of: disk)
            if case .configDrive(let drive) = disk.source {
                try DurableFile.write(ConfigDriveISO.bytes(drive), to: file)
                continue
            }
            if case .image(let image, _) = disk.source, let base = images[image] {
                try DiskImage.link(base, as: folder.base(of: disk))
            }
            let bytes = disk.virtualBytes ?? 0
            if access(file, F_OK) != 0 {
                try make(disk, file, bytes, images)
            } else if let had = sizes[disk.id], had < bytes {
                try DiskImage.grow(file, isQCOW2: file.hasSuffix(".qcow2"), virtualBytes: bytes)
            }
            sizes[disk.id] = bytes
        }
        if case .kernel(let kernel, let ramdisk, _) = spec.boot {
            try copy(images[.kernel(kernel)], to: folder.kernel)
            if let ramdisk { try copy(images[.ramdisk(ramdisk)], to: folder.ramdisk) }
        }
        if access(folder.console, F_OK) != 0 { try DurableFile.write(Data(), to: folder.console) }
        return sizes.filter { id, _ in spec.disks.contains { $0.id == id } }
    }

    /// Makes the folder, through which only the guest's user may pass. The image under a disk can be read by every user
    /// who comes as far as its name, because many guests read it.
    private func makeFolder() throws(CloudError) {
        try DurableFile.makeFolder(folder.path, mode: group == nil ? 0o711 : 0o710)
        guard let group else { return }
        guard chown(folder.path, geteuid(), group) == 0 else { throw DurableFile.failure("give away", folder.path) }
    }

    private func make(_ disk: Disk, _ file: String, _ bytes: Int64, _ images: [ImageReference: String]) throws(CloudError) {
        switch disk.source {
        case .image(let image, _):
            guard let base = images[image] else { throw .internalError("no file for \(image.content)") }
            try DiskImage.makeOverlay(file, base: base, isQCOW2: image.isQCOW2, virtualBytes: bytes)
        case .blank: try DiskImage.makeBlank(file, virtualBytes: bytes, isSwap: false)
        case .swap: try DiskImage.makeBlank(file, virtualBytes: bytes, isSwap: true)
        case .configDrive, .volume: break
        }
    }

    /// Copies an image for this machine alone: libvirt gives the kernel to the guest's user, who must not get a file
    /// from which others start.
    private func copy(_ image: String?, to path: String) throws(CloudError) {
        guard let image else { throw .internalError("no file for \(path)") }
        try DiskImage.place(path) { draft throws(CloudError) in
            do { try FileManager.default.copyItem(atPath: image, toPath: draft) } catch {
                throw .internalError("cannot copy \(image)", cause: error)
            }
        }
    }
}

/// A guest's serial log. QEMU appends to it without end, so its older part is cut off from time to time.
struct ConsoleLog {
    let folder: MachineFolder
    let most: Int

    /// Keeps the last bytes in a second file and empties the first, to which QEMU continues to append. Output of the
    /// guest between the two steps is lost; a full disk would be worse.
    func rotate() {
        var status = stat()
        guard stat(folder.console, &status) == 0, status.st_size > most else { return }
        let end = Self.end(folder.console, most)
        guard (try? DurableFile.write(Data(end), to: folder.olderConsole)) != nil else { return }
        truncate(folder.console, 0)
    }

    func tail(_ bytes: Int) -> ConsoleOutput {
        let wanted = max(0, min(bytes, 2 * most)) + 1
        var end = Self.end(folder.console, wanted)
        if end.count < wanted { end = Self.end(folder.olderConsole, wanted - end.count) + end }
        return ConsoleOutput(bytes: Array(end.suffix(wanted - 1)), isCut: end.count == wanted)
    }

    private static func end(_ path: String, _ bytes: Int) -> [UInt8] {
        // The guest's user owns the files of the folder but not the folder itself, so each file in it is one that
        // libvirt made.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { return [] }
        defer { close(file) }
        let size = lseek(file, 0, SEEK_END)
        let start = max(0, Int(size) - bytes)
        var buffer = [UInt8](repeating: 0, count: max(0, Int(size) - start))
        let count = pread(file, &buffer, buffer.count, off_t(start))
        return Array(buffer.prefix(max(0, count)))
    }
}
