import CloudCore

extension ShippedMetadef {
    private static let buses = ["scsi", "virtio", "uml", "xen", "ide", "usb", "fdc", "sata", "lxc"]
    private static let flags = ["true", "false"]
    private static let answers = ["yes", "no"]

    /// The namespaces of properties of images and flavors that describe the machine.
    static let hardware: [ShippedMetadef] = [
        cpuPinning, cpuTopology, memory, watchdog, random, libvirt, libvirtImage, hypervisor, tpm, tpmTraits, quota, diskFilter,
    ]

    private static let cpuPinning = ShippedMetadef(
        "OS::Compute::CPUPinning", "CPU Pinning", "Whether a guest's CPUs have CPUs of the host for themselves.", for: Association.hardware,
        [
            .word("cpu_policy", "CPU policy", "Whether CPUs of the host are shared or given to one guest alone.", ["shared", "dedicated"]),
            .word(
                "cpu_thread_policy", "CPU thread policy", "How the hardware threads of a core are given to a pinned guest.",
                ["isolate", "prefer", "require"]),
        ])

    private static let cpuTopology = ShippedMetadef(
        "OS::Compute::VirtCPUTopology", "Virtual CPU Topology", "How a guest sees its CPUs: in sockets, cores and threads.",
        for: Association.hardware,
        [
            .count("cpu_sockets", "Sockets", "The number of sockets that the guest should see."),
            .count("cpu_cores", "Cores", "The number of cores in each socket that the guest should see."),
            .count("cpu_threads", "Threads", "The number of threads in each core that the guest should see."),
            .count("cpu_max_sockets", "Most sockets", "The most sockets that the guest may see."),
            .count("cpu_max_cores", "Most cores", "The most cores in a socket that the guest may see."),
            .count("cpu_max_threads", "Most threads", "The most threads in a core that the guest may see."),
        ])

    private static let memory = ShippedMetadef(
        "OS::Compute::GuestMemoryBacking", "Guest Memory Backing", "Which pages of the host a guest's memory is made of.",
        for: [.flavor("hw:"), .image("hw_"), .volume("hw_")],
        [.text("mem_page_size", "Page size", "The size of a page, as 2MB, or one of small, large and any.")])

    private static let watchdog = ShippedMetadef(
        "OS::Compute::Watchdog", "Watchdog Behavior", "What happens to a guest that no longer feeds its watchdog.", for: Association.hardware,
        [
            .word(
                "watchdog_action", "Watchdog action", "What is done when the watchdog runs out; disabled leaves out the device.",
                ["disabled", "reset", "poweroff", "pause", "none"])
        ])

    private static let random = ShippedMetadef(
        "OS::Compute::RandomNumberGenerator", "Random Number Generator", "How much randomness a guest may take from its host.",
        for: [.flavor()],
        [
            .truth("hw_rng:allowed", "Allowed", "Whether the guest has the device that its image asks for."),
            .count("hw_rng:rate_bytes", "Bytes", "The most bytes that the guest may read in each period."),
            .count("hw_rng:rate_period", "Period", "The length of a period in milliseconds."),
        ])

    private static let libvirt = ShippedMetadef(
        "OS::Compute::Libvirt", "libvirt Driver Options", "Parts of a machine that a flavor and an image may choose, on hosts with libvirt.",
        for: [.image("hw_"), .flavor("hw:")],
        [
            .count("serial_port_count", "Serial ports", "The number of serial ports; an image may ask for fewer than its flavor.", ["minimum": 0]),
            .word("boot_menu", "Boot menu", "Whether the firmware shows its boot menu.", flags),
            .word("mem_encryption", "Memory encryption", "Whether the hardware encrypts the guest's memory.", flags),
            .word(
                "mem_encryption_model", "Memory encryption model", "The processor's feature that encrypts the memory.",
                ["amd-sev", "amd-sev-es", "amd-sev-snp"]),
            .word("virtio_packed_ring", "Packed rings", "Whether virtio devices use packed queues.", flags),
        ])

    private static let libvirtImage = ShippedMetadef(
        "OS::Compute::LibvirtImage", "libvirt Driver Options for Images", "Parts of a machine that an image may choose, on hosts with libvirt.",
        for: [.image()],
        [
            .word("hw_cdrom_bus", "CD-ROM bus", "The bus that CD-ROM drives are attached to.", buses),
            .word("hw_disk_bus", "Disk bus", "The bus that disks are attached to.", buses),
            .word("hw_firmware_type", "Firmware", "The firmware that the machine boots with.", ["bios", "uefi"]),
            .truth("hw_firmware_stateless", "Stateless firmware", "Whether UEFI forgets its settings when the machine is restarted."),
            .text("hw_rng_model", "Random number device", "The model of the device that gives random numbers.", ["default": "virtio"]),
            .text("hw_machine_type", "Machine type", "The kind of machine, in the hypervisor's words."),
            .text("hw_scsi_model", "SCSI controller", "The model of the SCSI controller.", ["default": "virtio-scsi"]),
            .word(
                "hw_video_model", "Video model", "The graphics device; none leaves it out.",
                ["vga", "cirrus", "vmvga", "xen", "qxl", "virtio", "gop", "none", "bochs"]),
            .count("hw_video_ram", "Video memory", "The most memory of the graphics device in MB.", ["minimum": 0]),
            .text("os_command_line", "Kernel command line", "The arguments of the kernel, where an image has one of its own."),
            .word("os_type", "Kind of system", "The kind of operating system in the image.", ["linux", "windows"]),
            .word(
                "hw_vif_model", "Network device", "The model of the network devices.",
                ["e1000", "e1000e", "ne2k_pci", "netfront", "pcnet", "rtl8139", "spapr-vlan", "virtio", "vmxnet3", "igb"]),
            .word("hw_vif_multiqueue_enabled", "Network queues", "Whether a network device has a queue for each CPU.", flags),
            .word("hw_pmu", "Performance counters", "Whether the guest sees performance counters.", flags),
            .word("hw_qemu_guest_agent", "Guest agent", "Whether an agent in the guest does work for the host.", answers),
            .word("hw_pointer_model", "Pointer", "The pointing device.", ["usbtablet"]),
            .word("img_hide_hypervisor_id", "Hidden hypervisor", "Whether the guest is not told that it runs on a hypervisor.", answers),
        ])

    private static let hypervisor = ShippedMetadef(
        "OS::Compute::Hypervisor", "Hypervisor Selection", "Which hosts an image can run on.", for: [.image()],
        [
            .word(
                "hypervisor_type", "Hypervisor", "The hypervisor that the image needs.",
                ["baremetal", "hyperv", "kvm", "lxc", "powervm", "qemu", "uml", "vmware", "vz", "xen"]),
            .word("vm_mode", "Mode", "How the guest is virtualised; hvm is full virtualisation.", ["hvm", "xen", "uml", "exe"]),
        ])

    private static let tpm = ShippedMetadef(
        "OS::Compute::TPM", "TPM Options", "The virtual trusted platform module of a guest.", for: [.flavor("hw:"), .image("hw_")],
        [
            .word(
                "tpm_model", "Model", "The model of the device; tpm-crb is for version 2.0 alone.", ["tpm-tis", "tpm-crb"],
                ["operators": ["<or>"], "default": "tpm-tis"]),
            .word("tpm_version", "Version", "The version that the guest asks for; there is no device without it.", ["1.2", "2.0"], ["operators": ["<or>"]]),
        ])

    private static let tpmTraits = ShippedMetadef(
        "OS::Compute::VTPM", "Emulated Virtual TPM", "Hosts that can emulate a trusted platform module.", for: [.flavor("traits:"), .image("traits:")],
        [
            .word("COMPUTE_SECURITY_TPM_1_2", "Version 1.2", "Asks for a host that emulates version 1.2.", ["required"], ["default": "required"]),
            .word("COMPUTE_SECURITY_TPM_2_0", "Version 2.0", "Asks for a host that emulates version 2.0.", ["required"], ["default": "required"]),
        ])

    private static let quota = ShippedMetadef(
        "OS::Compute::Quota", "Flavor Quota", "How much of its host's CPUs, disks and network a guest may take.", for: [.flavor()],
        objects: [
            Object(
                "CPU Limits", "Time on the host's CPUs.",
                [
                    .count("quota:cpu_shares", "CPU shares", "The weight of the guest against others on the host."),
                    .count(
                        "quota:cpu_period", "CPU period", "The length of a period in microseconds.", ["minimum": 1000, "maximum": 1_000_000]),
                    .count("quota:cpu_quota", "CPU quota", "Microseconds that each CPU may run in a period; less than 0 is without a limit."),
                ]),
            Object(
                "Disk QoS", "Bytes and operations of the disks.",
                [
                    .count("quota:disk_read_bytes_sec", "Bytes read", "The most bytes that are read in a second."),
                    .count("quota:disk_read_iops_sec", "Reads", "The most reads in a second."),
                    .count("quota:disk_write_bytes_sec", "Bytes written", "The most bytes that are written in a second."),
                    .count("quota:disk_write_iops_sec", "Writes", "The most writes in a second."),
                    .count("quota:disk_total_bytes_sec", "Bytes in all", "The most bytes that are read and written in a second."),
                    .count("quota:disk_total_iops_sec", "Operations in all", "The most reads and writes in a second."),
                ]),
            Object(
                "Virtual Interface QoS", "Traffic of each network device.",
                ["inbound", "outbound"].flatMap { way -> [Property] in
                    let words = way == "inbound" ? "to the guest" : "from the guest"
                    return [
                        .count("quota:vif_\(way)_average", "Average \(way)", "Kilobytes in a second \(words), on average."),
                        .count("quota:vif_\(way)_burst", "Burst \(way)", "Kilobytes \(words) that may come at the peak rate."),
                        .count("quota:vif_\(way)_peak", "Peak \(way)", "The most kilobytes in a second \(words)."),
                    ]
                }),
        ])

    private static let diskFilter = ShippedMetadef(
        "OS::Compute::AggregateDiskFilter", "Disk Allocation per Host", "How much disk the hosts of an aggregate give away.", for: [.aggregate],
        [.number("disk_allocation_ratio", "Disk ratio", "How often the disk space of a host is given away; more than 1 gives away more than there is.")])
}
