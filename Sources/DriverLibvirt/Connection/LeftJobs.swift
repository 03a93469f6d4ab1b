import CloudCore
import Drivers
import Foundation

/// Jobs that a process before this one has begun and that nothing would end any more.
///
/// libvirt notes in the state of a running domain that its disk is to be copied before it notes the copy. Of a process that was killed in between
/// the note is left: libvirt takes the job up again at each start, there is no copy whose end would be its end, and calling it off has no effect
/// (libvirt 9.0). Until its QEMU ends the machine could be neither copied nor suspended.
enum LeftJobs {
    /// Only before libvirt is opened on that root: it reads these files once.
    static func forget(root: String) throws(CloudError) {
        let folder = root + "/run/qemu"
        for name in DurableFile.names(in: folder) where name.hasSuffix(".xml") {
            let path = "\(folder)/\(name)"
            guard let data = try DurableFile.read(path), let shorter = without(String(decoding: data, as: UTF8.self)) else { continue }
            try DurableFile.write(Data(shorter.utf8), to: path)
        }
    }

    /// - Returns: nil where there is no such job, or where there is a copy: one that still runs, or that QEMU knows nothing of any longer, libvirt
    ///   ends by itself.
    static func without(_ state: String) -> String? {
        guard !state.contains("<domainbackup"), let job = state.firstRange(of: /[ ]*<job type='none' async='backup'[^>]*\/>\n?/) else { return nil }
        return state.replacingCharacters(in: job, with: "")
    }
}
