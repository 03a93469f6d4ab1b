import HostModel

/// The settings of the driver. The defaults need no preparation of the host.
package struct LibvirtSettings: Sendable {
    /// The folder for disks, images and the embedded libvirt: an absolute path whose parent exists. Guests' users must
    /// be able to pass through it, otherwise guests run as root.
    package var folder: String
    /// The URI of a libvirt on this host, such as `qemu:///system`; nil for libvirt within this process, with a root of
    /// its own.
    package var uri: String?
    package var acceleration: Acceleration = .automatic
    /// The translated code of each guest when CPUs are emulated, in MiB.
    package var translationCacheMiB = 32
    /// The bytes of a guest's serial log that are kept; a guest may write twice as much before the older half is
    /// removed.
    package var consoleBytes = 1 << 20
    /// The number of calls that may wait for libvirt at the same time.
    package var threads = 8
    /// The time that a guest has to release a device.
    package var releaseTime: Duration = .seconds(40)

    package enum Acceleration: Sendable {
        /// KVM, if a test guest has shown that it works; otherwise emulation.
        case automatic
        case kvm
        case emulated
    }

    package init(folder: String) { self.folder = folder }
}
