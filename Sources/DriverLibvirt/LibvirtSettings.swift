import HostModel

/// How the driver uses its host. The defaults need nothing set up.
package struct LibvirtSettings: Sendable {
    /// Where disks, images and the embedded libvirt lie. An absolute path whose parent exists. Guests' users must be able to pass
    /// through it, or guests run as root.
    package var folder: String
    /// Nil: libvirt within this process, with a root of its own. Otherwise a libvirt on this host, as `qemu:///system`.
    package var uri: String?
    package var acceleration: Acceleration = .automatic
    /// MiB of translated code a guest when CPUs are emulated.
    package var translationCacheMiB = 32
    /// Bytes of a guest's serial log that are kept; a guest may write twice as much before the older half goes.
    package var consoleBytes = 1 << 20
    /// Calls that may wait for libvirt at the same time.
    package var threads = 8

    package enum Acceleration: Sendable {
        /// KVM where a guest has shown that it works.
        case automatic
        case kvm
        case emulated
    }

    package init(folder: String) { self.folder = folder }
}
