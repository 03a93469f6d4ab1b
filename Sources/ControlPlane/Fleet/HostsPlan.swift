import DriverLibvirt
package import Drivers

/// Which hosts a cloud has.
package enum HostsPlan: Sendable {
    case none
    /// - Parameter isInstant: without the delays that real work has.
    case simulated(Int, isInstant: Bool)
    /// The hosts of a cloud that is gone, with their agents and machines: a restart of the control plane alone.
    case again(Fleet)
    /// This machine, by libvirt.
    case thisMachine(HostSettings)
    /// One host that somebody else has opened.
    ///
    /// - Parameter folder: where its agent keeps what is wanted.
    case opened(any MachineDriver, name: String, folder: String)
}

extension HostsPlan {
    /// - Parameter folder: where this machine keeps what it has as a host.
    init(_ configuration: Configuration, folder: String) {
        if configuration.simulate.enabled {
            self = .simulated(configuration.simulate.hosts, isInstant: false)
            return
        }
        var settings = HostSettings(folder: folder)
        settings.uri = configuration.libvirt.connectionURI
        switch configuration.libvirt.virtType {
        case "none":
            self = .none
            return
        case "kvm": settings.acceleration = .kvm
        case "qemu": settings.acceleration = .emulated
        default: settings.acceleration = .automatic
        }
        self = .thisMachine(settings)
    }
}
