/// The resource classes that every Placement has (os-resource-classes 1.1.0). They cannot be created, renamed or
/// removed.
enum StandardResourceClasses {
    static let set = Set(all)

    /// The classes in the order of lists.
    static let all = """
        VCPU MEMORY_MB DISK_GB PCI_DEVICE SRIOV_NET_VF NUMA_SOCKET NUMA_CORE NUMA_THREAD NUMA_MEMORY_MB IPV4_ADDRESS VGPU
        VGPU_DISPLAY_HEAD NET_BW_EGR_KILOBIT_PER_SEC NET_BW_IGR_KILOBIT_PER_SEC PCPU MEM_ENCRYPTION_CONTEXT FPGA PGPU
        NET_PACKET_RATE_KILOPACKET_PER_SEC NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC
        """.split(whereSeparator: \.isWhitespace).map(String.init)
}
