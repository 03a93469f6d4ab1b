import DriverLibvirt
package import Drivers

/// The choice of a cloud's hosts.
package enum HostsPlan: Sendable {
    case none
    /// Simulated hosts.
    ///
    /// - Parameters:
    ///   - isInstant: whether they work without the delays of real hardware.
    ///   - poolBytes: the size of each pool of volumes.
    ///   - pools: the number of each host's pools.
    case simulated(Int, isInstant: Bool, poolBytes: Int64 = 10 << 40, pools: Int = 1)
    /// The hosts of a cloud that has ended, with their agents and machines: only the control plane restarts.
    case again(Fleet)
    /// This machine, with libvirt.
    case thisMachine(HostSettings)
    /// One host, whose driver the caller has opened.
    ///
    /// - Parameter folder: the folder in which its agent stores the wanted state.
    case opened(any MachineDriver, name: String, folder: String)
}

extension HostsPlan {
    /// Chooses the hosts that the configuration wants.
    ///
    /// - Parameter folder: the folder for this machine's data as a host.
    init(_ configuration: Configuration, folder: String) {
        if configuration.simulate.enabled {
            let poolBytes = Int64(configuration.simulate.poolSize) << 30
            self = .simulated(
                configuration.simulate.hosts, isInstant: false, poolBytes: poolBytes,
                pools: configuration.simulate.pools)
            return
        }
        var settings = HostSettings(folder: folder)
        settings.uri = configuration.libvirt.connectionURI
        settings.take(configuration.volumes)
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
