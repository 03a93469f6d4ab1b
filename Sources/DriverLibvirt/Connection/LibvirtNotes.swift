import CloudCore
import Drivers
import Foundation

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
            if isOfNoGuest(note, name: String(name.dropLast(".xml".count))) {
                try DurableFile.remove(path)
            } else if let shorter = withoutLeftJob(note) {
                try DurableFile.write(Data(shorter.utf8), to: path)
            }
        }
    }

    /// Whether QEMU was about to be started, or its number is another program's. For the one libvirt keeps a job that nobody ends; for the other it waits
    /// to answer, and then ends it. Of a process that is gone it finds out at once.
    static func isOfNoGuest(_ note: String, name: String) -> Bool {
        guard let number = note.firstMatch(of: /<domstatus [^>]*pid='([0-9]+)'/)?.1 else { return false }
        guard number != "0" else { return true }
        guard let words = FileManager.default.contents(atPath: "/proc/\(number)/cmdline") else { return false }
        return !words.split(separator: 0).contains { $0.elementsEqual(name.utf8) }
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
