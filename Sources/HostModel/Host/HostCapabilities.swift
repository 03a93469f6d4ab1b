/// What a host can do for machines.
package struct HostCapabilities: Hashable, Sendable, Codable {
    /// How guests' CPUs are run.
    package enum Acceleration: Hashable, Sendable, Codable {
        case kvm
        /// In software, and why.
        case emulated(reason: String)
        /// There is no hypervisor.
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

    /// As `QEMU 7.2.19`.
    package var hypervisor: String
    package var acceleration: Acceleration
    package var guests: [Guest]
    /// The user that guests run as, and why it is one with power when it is.
    package var guestUser: String

    package init(hypervisor: String, acceleration: Acceleration, guests: [Guest], guestUser: String) {
        self.hypervisor = hypervisor
        self.acceleration = acceleration
        self.guests = guests
        self.guestUser = guestUser
    }
}

/// What a host has, whoever uses it.
package struct HostResources: Hashable, Sendable, Codable {
    package var hostName: String
    package var cpus: Int
    package var memoryMiB: Int64
    package var freeMemoryMiB: Int64
    /// Of the file system that machines' disks lie on.
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
