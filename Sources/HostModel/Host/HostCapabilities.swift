/// The capabilities of a host for machines.
package struct HostCapabilities: Hashable, Sendable, Codable {
    /// The way in which guests' CPUs run.
    package enum Acceleration: Hashable, Sendable, Codable {
        case kvm
        /// Emulation in software, with the reason why KVM is not used.
        case emulated(reason: String)
        /// A simulation without a hypervisor.
        case simulated
    }

    package struct Guest: Hashable, Sendable, Codable {
        package var architecture: Architecture
        package var machineTypes: [String]
        package var cpuModels: [String]
        package var mostCPUs: Int

        package init(architecture: Architecture, machineTypes: [String], cpuModels: [String], mostCPUs: Int) {
            self.architecture = architecture
            self.machineTypes = machineTypes
            self.cpuModels = cpuModels
            self.mostCPUs = mostCPUs
        }
    }

    /// The name and the version, such as `QEMU 7.2.19`.
    package var hypervisor: String
    package var acceleration: Acceleration
    package var guests: [Guest]
    /// The user under which guests run, for the operator; if it is root, with the reason.
    package var guestUser: String

    package init(hypervisor: String, acceleration: Acceleration, guests: [Guest], guestUser: String) {
        self.hypervisor = hypervisor
        self.acceleration = acceleration
        self.guests = guests
        self.guestUser = guestUser
    }
}

/// The resources of a host, whoever uses them.
package struct HostResources: Hashable, Sendable, Codable {
    package var hostName: String
    package var cpus: Int
    package var memoryMiB: Int64
    package var freeMemoryMiB: Int64
    /// The size of the file system with the machines' disks.
    package var diskBytes: Int64
    package var freeDiskBytes: Int64

    package init(
        hostName: String, cpus: Int, memoryMiB: Int64, freeMemoryMiB: Int64, diskBytes: Int64, freeDiskBytes: Int64
    ) {
        self.hostName = hostName
        self.cpus = cpus
        self.memoryMiB = memoryMiB
        self.freeMemoryMiB = freeMemoryMiB
        self.diskBytes = diskBytes
        self.freeDiskBytes = freeDiskBytes
    }
}
