import CloudCore
import Foundation
import HostModel

/// The users under which guests run. Each guest gets a user id that no account and no other guest of the host has. An
/// attacker who breaks out of a guest therefore finds no file that this user may open, not even another guest's.
struct GuestUsers: Sendable {
    /// The ids for guests; nil if guests have no users of their own, as `reason` explains.
    let range: Range<UInt32>?
    /// The group that may open /dev/kvm; nil for a group of the guest's own.
    let group: UInt32?
    let reason: String

    /// The ids that systemd's list of ranges leaves free (https://systemd.io/UIDS-GIDS).
    static let standardRange: Range<UInt32> = 1_900_000_000..<1_900_065_536

    /// Chooses the users that are possible on this host.
    ///
    /// - Parameter folder: a folder through which guests' users must be able to pass.
    static func choose(usesKVM: Bool, folder: String, isEmbedded: Bool) -> GuestUsers {
        guard geteuid() == 0 else { return GuestUsers(range: nil, group: nil, reason: "the user of this process") }
        guard isEmbedded else { return GuestUsers(range: nil, group: nil, reason: "as libvirt's own configuration has it") }
        var part = ""
        for name in folder.split(separator: "/") {
            part += "/" + name
            var status = stat()
            guard stat(part, &status) == 0, status.st_mode & S_IXOTH != 0 else {
                return GuestUsers(range: nil, group: nil, reason: "root: other users cannot pass through \(part) (chmod o+x)")
            }
        }
        guard usesKVM else { return GuestUsers(range: standardRange, group: nil, reason: "a user of its own") }
        var device = stat()
        stat("/dev/kvm", &device)
        if device.st_mode & (S_IROTH | S_IWOTH) == S_IROTH | S_IWOTH {
            return GuestUsers(range: standardRange, group: nil, reason: "a user of its own")
        }
        if device.st_gid != 0, device.st_mode & (S_IRGRP | S_IWGRP) == S_IRGRP | S_IWGRP {
            return GuestUsers(range: standardRange, group: device.st_gid, reason: "a user of its own in the group of /dev/kvm")
        }
        return GuestUsers(range: nil, group: nil, reason: "root: nobody else may open /dev/kvm (chgrp kvm, chmod 660)")
    }

    /// Returns the first id that is not in `used`.
    func next(used: some Sequence<UInt32>) -> UInt32? {
        guard let range else { return nil }
        let used = Set(used)
        return range.first { !used.contains($0) }
    }
}
