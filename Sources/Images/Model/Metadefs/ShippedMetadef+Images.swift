import CloudCore

extension ShippedMetadef {
    private static let uuid = "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$"

    /// The namespaces of properties of images that describe their content.
    static let images: [ShippedMetadef] = [commonProperties, operatingSystem, instanceData, shutdown]

    private static let distribution = Property.text("os_distro", "Distribution", "The name of the distribution in lower case, as libosinfo has it.")
    private static let version = Property.text("os_version", "Version", "The version, as the distributor writes it.")

    private static let commonProperties = ShippedMetadef(
        "OS::Glance::CommonImageProperties", "Common Image Properties", "What most images say of themselves.",
        [
            .text("kernel_id", "Kernel", "The image of the kernel that the image boots with.", ["pattern": .string(uuid)]),
            .text("ramdisk_id", "Ramdisk", "The image of the ramdisk that the image boots with.", ["pattern": .string(uuid)]),
            .text("instance_uuid", "Server", "The server that the image belongs to. It is a note and has no effect."),
            .text("architecture", "Architecture", "The processor architecture that the image needs, as x86_64."),
            distribution, version,
            .text("description", "Description", "What the image is for."),
            .text("cinder_encryption_key_id", "Encryption key", "The key that volumes of the image are encrypted with."),
            .word(
                "cinder_encryption_key_deletion_policy", "Deletion of the encryption key", "Whether the key goes with the image.",
                ["on_image_deletion", "do_not_delete"]),
        ])

    private static let operatingSystem = ShippedMetadef(
        "OS::OperatingSystem", "Common Operating System Properties", "Which operating system is in the image.", for: [.image(), .volume()],
        [distribution, version, .text("os_admin_user", "Administrator", "The user of the guest who may do everything.")])

    private static let instanceData = ShippedMetadef(
        "OS::Compute::InstanceData", "Instance Config Data", "How a guest gets its configuration.", for: [.image(), .volume()],
        [
            .word("img_config_drive", "Config drive", "Whether a server of the image always has a config drive.", ["optional", "mandatory"]),
            .word("os_require_quiesce", "Quiesced snapshots", "Whether a snapshot fails when the guest cannot hold its file systems still.", ["yes", "no"]),
        ])

    private static let shutdown = ShippedMetadef(
        "OS::Compute::GuestShutdownBehavior", "Shutdown Behavior", "How a guest is stopped.", for: [.image()],
        [.count("os_shutdown_timeout", "Shutdown timeout", "Seconds that a guest has to shut down before its power is cut.", ["minimum": 0])])
}
