import CloudCore
import Drivers
import Foundation
import HostModel

/// The notes that the embedded libvirt keeps about each running machine, for the process after it. A process that is
/// killed leaves notes that block the machine, and a process that ends with its host leaves notes whose process numbers
/// belong to other programs by now. The notes are corrected before libvirt reads them (seen with libvirt 9.0).
enum LibvirtNotes {
    /// Corrects the notes. It must run before libvirt is opened on that root, because libvirt reads these files once.
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

    /// Removes the folders of a machine's sockets. libvirt makes one for each start and removes it when the machine
    /// ends; its name ends with the first 20 characters of the domain's name.
    private static func removeSockets(of machine: String, root: String) throws(CloudError) {
        for folder in [root + "/lib/qemu", root + "/lib/qemu/channel/target"] {
            for name in DurableFile.names(in: folder) where name.hasPrefix("domain-") && name.hasSuffix("-" + machine.prefix(20)) {
                try DurableFile.removeFolder("\(folder)/\(name)")
            }
        }
    }

    /// Returns whether the note belongs to no guest: QEMU was not started yet, or the process number is another
    /// program's by now. In the first case libvirt would keep a job that nobody ends; in the second it would wait for
    /// the other program's answer and then kill it. libvirt itself notices if the process no longer exists.
    static func isOfNoGuest(_ note: String, name: String) -> Bool {
        guard let number = number(in: note) else { return false }
        guard number != "0" else { return true }
        guard let words = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
        return !words.split(separator: 0).contains { $0.elementsEqual(name.utf8) }
    }

    private static func number(in note: String) -> String? {
        note.firstMatch(of: /<domstatus [^>]*pid='([0-9]+)'/).map { String($0.1) }
    }

    /// Returns the taps that a process has open, as the kernel tells for each of its files (`iff:` in /proc/PID/fdinfo,
    /// drivers/net/tun.c).
    ///
    /// - Returns: nil if this cannot be seen.
    static func taps(heldBy number: String) -> Set<String>? {
        let folder = "/proc/\(number)/fdinfo"
        guard let files = try? FileManager.default.contentsOfDirectory(atPath: folder) else { return nil }
        var taps: Set<String> = []
        for file in files {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(file)") else {
                // The file was closed meanwhile.
                guard access("\(folder)/\(file)", F_OK) != 0, errno == ENOENT else { return nil }
                continue
            }
            for line in String(decoding: data, as: UTF8.self).split(separator: "\n") where line.hasPrefix("iff:") {
                taps.insert(line.dropFirst("iff:".count).trimmingCharacters(in: .whitespaces))
            }
        }
        return taps
    }

    /// Returns the note without the cards that QEMU has released and that libvirt has not yet recorded as gone. libvirt
    /// would try to take such a card from QEMU once more, and end the guest because that fails.
    ///
    /// - Parameter isHeld: whether QEMU has the tap with that name.
    static func withoutLostCards(_ note: String, isHeld: (String) -> Bool) -> String {
        note.replacing(/[ ]*<interface type='ethernet'>.*?<\/interface>\n?/.dotMatchesNewlines()) { card in
            guard let tap = card.output.firstMatch(of: /<target dev='([^']+)'/)?.1, !isHeld(String(tap)) else { return String(card.output) }
            return ""
        }
    }

    /// Returns the note without a copy job that was left behind. libvirt records that a disk is to be copied before it
    /// records the copy itself. If the process is killed in between, a job remains that libvirt resumes at each start.
    /// No end of a copy ends it, and it cannot be aborted: until its QEMU ends, the machine can be neither copied nor
    /// suspended.
    ///
    /// - Returns: nil if there is no such job, or if there is a copy. libvirt itself ends a copy that still runs, or
    ///   that QEMU no longer knows.
    static func withoutLeftJob(_ note: String) -> String? {
        guard !note.contains("<domainbackup"), let job = note.firstRange(of: /[ ]*<job type='none' async='backup'[^>]*\/>\n?/) else { return nil }
        return note.replacingCharacters(in: job, with: "")
    }
}
