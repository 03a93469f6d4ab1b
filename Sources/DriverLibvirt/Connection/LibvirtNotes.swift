import CloudCore
import Drivers
import Foundation
import HostModel

/// What libvirt within a process notes of each machine that runs, for the process after it. A process that is killed leaves notes that hold the
/// machine up, and one that ends with its host leaves notes of processes that are others by now: they are put right before libvirt reads them
/// (seen with libvirt 9.0).
enum LibvirtNotes {
    /// Only before libvirt is opened on that root: it reads these files once.
    static func correct(root: String) throws(CloudError) {
        let folder = root + "/run/qemu"
        for name in DurableFile.names(in: folder) where name.hasSuffix(".xml") {
            let path = "\(folder)/\(name)"
            guard let data = try DurableFile.read(path) else { continue }
            let note = String(decoding: data, as: UTF8.self)
            let machine = String(name.dropLast(".xml".count))
            if isOfNoGuest(note, name: machine) {
                try removeSockets(of: machine, root: root)
                try DurableFile.remove(path)
                continue
            }
            var right = withoutLeftJob(note) ?? note
            if let number = number(in: note), let held = taps(heldBy: number) { right = withoutLostCards(right) { held.contains($0) } }
            if right != note { try DurableFile.write(Data(right.utf8), to: path) }
        }
    }

    /// libvirt makes a folder for each start, and removes it at that start's end. It is called after the first 20 characters of the domain's name.
    private static func removeSockets(of machine: String, root: String) throws(CloudError) {
        for folder in [root + "/lib/qemu", root + "/lib/qemu/channel/target"] {
            for name in DurableFile.names(in: folder) where name.hasPrefix("domain-") && name.hasSuffix("-" + machine.prefix(20)) {
                try DurableFile.removeFolder("\(folder)/\(name)")
            }
        }
    }

    /// Whether QEMU was about to be started, or its number is another program's. For the one libvirt keeps a job that nobody ends; for the other it waits
    /// to answer, and then ends it. Of a process that is gone it finds out at once.
    static func isOfNoGuest(_ note: String, name: String) -> Bool {
        guard let number = number(in: note) else { return false }
        guard number != "0" else { return true }
        guard let words = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
        return !words.split(separator: 0).contains { $0.elementsEqual(name.utf8) }
    }

    private static func number(in note: String) -> String? {
        note.firstMatch(of: /<domstatus [^>]*pid='([0-9]+)'/).map { String($0.1) }
    }

    /// The taps that a process has open, as the kernel tells of each of its files (`iff:` in /proc/PID/fdinfo, drivers/net/tun.c).
    ///
    /// - Returns: nil where that cannot be seen.
    static func taps(heldBy number: String) -> Set<String>? {
        let folder = "/proc/\(number)/fdinfo"
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        var taps: Set<String> = []
        for file in files {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
                // One that was closed since.
                guard access("\(folder)/\(file)", F_OK) != 0, errno == ENOENT else { return nil }
                continue
            }
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix("iff:") {
                taps.insert(line.dropFirst("iff:".count).trimmingCharacters(in: .whitespaces))
            }
        }
        return taps
    }

    /// A card that QEMU has let go of, and that libvirt had not yet noted as gone: it would try to take it from QEMU once more, and end the guest because
    /// that fails.
    ///
    /// - Parameter isHeld: whether QEMU has the tap of that name.
    static func withoutLostCards(_ note: String, isHeld: (String) -> Bool) -> String {
        note.replacing(/[ ]*<interface type='ethernet'>.*?<\/interface>\n?/.dotMatchesNewlines()) { card in
            guard let tap = card.output.firstMatch(of: /<target dev='([^']+)'/)?.1, !isHeld(String(tap)) else { return String(card.output) }
            return ""
        }
    }

    /// libvirt notes that a disk is to be copied before it notes the copy. Of a process that was killed in between a job is left that libvirt takes up
    /// again at each start, that no copy's end is the end of, and that cannot be called off: until its QEMU ends the machine could be neither
    /// copied nor suspended.
    ///
    /// - Returns: nil where there is no such job, or where there is a copy: one that still runs, or that QEMU knows nothing of any longer, libvirt
    ///   ends by itself.
    static func withoutLeftJob(_ note: String) -> String? {
        guard !note.contains("<domainbackup"), let job = note.firstRange(of: /[ ]*<job type='none' async='backup'[^>]*\/>\n?/) else { return nil }
        return note.replacingCharacters(in: job, with: "")
    }
}
