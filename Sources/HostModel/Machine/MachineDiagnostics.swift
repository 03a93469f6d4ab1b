/// The resources that a machine has used since it started.
package struct MachineDiagnostics: Hashable, Sendable, Codable {
    package struct Traffic: Hashable, Sendable, Codable {
        /// The id of the disk or card in the specification.
        package var id: String
        package var readBytes: Int64
        package var writtenBytes: Int64
        package var readOperations: Int64
        package var writtenOperations: Int64

        package init(
            id: String, readBytes: Int64, writtenBytes: Int64, readOperations: Int64, writtenOperations: Int64
        ) {
            self.id = id
            self.readBytes = readBytes
            self.writtenBytes = writtenBytes
            self.readOperations = readOperations
            self.writtenOperations = writtenOperations
        }
    }

    package var power: PowerState
    package var hypervisor: String
    /// The CPU time of each virtual CPU, in nanoseconds.
    package var cpuNanoseconds: [Int64]
    package var memoryMiB: Int64
    package var usedMemoryMiB: Int64
    package var disks: [Traffic]
    /// The traffic of each card; read is received, written is sent.
    package var nics: [Traffic]

    package init(
        power: PowerState, hypervisor: String, cpuNanoseconds: [Int64] = [], memoryMiB: Int64 = 0,
        usedMemoryMiB: Int64 = 0, disks: [Traffic] = [], nics: [Traffic] = []
    ) {
        self.power = power
        self.hypervisor = hypervisor
        self.cpuNanoseconds = cpuNanoseconds
        self.memoryMiB = memoryMiB
        self.usedMemoryMiB = usedMemoryMiB
        self.disks = disks
        self.nics = nics
    }
}
