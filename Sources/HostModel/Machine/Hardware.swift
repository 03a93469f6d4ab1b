package import CloudCore

/// The parts of a machine that an image may choose, as typed values of Glance's `hw_*` properties.
package struct Hardware: Hashable, Sendable, Codable {
    package var diskBus: DiskBus = .virtio
    package var cdromBus: DiskBus = .sata
    package var nicModel: NICModel = .virtio
    package var video: VideoModel = .virtio
    package var input: InputBus = .usb
    /// Whether the machine has a source of random numbers (virtio-rng).
    package var hasRandomness = true
    /// Whether the machine has the channel on which a guest agent speaks.
    package var hasGuestAgent = false
    package var hasBootMenu = false
    /// The action when the guest stops feeding its watchdog; nil for no watchdog.
    package var watchdog: WatchdogAction?

    package init() {}

    package enum VideoModel: String, Hashable, Sendable, Codable, CaseIterable { case vga, cirrus, vmvga, qxl, virtio, bochs, none }

    package enum InputBus: String, Hashable, Sendable, Codable, CaseIterable { case usb, virtio }

    package enum WatchdogAction: String, Hashable, Sendable, Codable, CaseIterable { case reset, poweroff, pause, none }
}

/// The choices that an image's properties make for a machine. Properties that no driver uses are ignored.
package struct HardwareChoice: Hashable, Sendable {
    package var hardware = Hardware()
    package var platform = Platform()
    /// The topology of the CPUs; nil if the image does not choose one.
    package var sockets: Int?
    package var cores: Int?
    package var threads: Int?

    /// Reads the choices from the properties of an image.
    ///
    /// - Throws: `badRequest` that names the property and its allowed values.
    package init(properties: [String: String]) throws(CloudError) {
        func choice<Value: RawRepresentable & CaseIterable>(_ name: String, _ type: Value.Type) throws(CloudError) -> Value?
        where Value.RawValue == String {
            guard let text = properties[name] else { return nil }
            if let value = Value(rawValue: text) { return value }
            let values = Value.allCases.map(\.rawValue).joined(separator: ", ")
            throw .badRequest("The image property \(name) must be one of \(values), not '\(text)'.")
        }
        func flag(_ name: String) throws(CloudError) -> Bool? {
            guard let text = properties[name] else { return nil }
            switch text.lowercased() {
            case "yes", "true", "1", "on", "required": return true
            case "no", "false", "0", "off", "disabled", "optional": return false
            default: throw .badRequest("The image property \(name) must be yes or no, not '\(text)'.")
            }
        }
        func count(_ name: String) throws(CloudError) -> Int? {
            guard let text = properties[name] else { return nil }
            guard let value = Int(text), (1...512).contains(value) else {
                throw .badRequest("The image property \(name) must be a number from 1 to 512, not '\(text)'.")
            }
            return value
        }
        if let bus = try choice("hw_disk_bus", DiskBus.self) { hardware.diskBus = bus }
        if let bus = try choice("hw_cdrom_bus", DiskBus.self) { hardware.cdromBus = bus }
        if let model = try choice("hw_vif_model", NICModel.self) { hardware.nicModel = model }
        if let model = try choice("hw_video_model", Hardware.VideoModel.self) { hardware.video = model }
        if let bus = try choice("hw_input_bus", Hardware.InputBus.self) { hardware.input = bus }
        if let agent = try flag("hw_qemu_guest_agent") { hardware.hasGuestAgent = agent }
        if let menu = try flag("hw_boot_menu") { hardware.hasBootMenu = menu }
        if let action = try choice("hw_watchdog_action", WatchdogWord.self) { hardware.watchdog = action.action }
        if let random = try choice("hw_rng_model", RandomWord.self) { hardware.hasRandomness = random == .virtio }
        if let architecture = try choice("hw_architecture", Architecture.self) { platform.architecture = architecture }
        if let type = properties["hw_machine_type"] { platform.machineType = .named(type) }
        if let firmware = try choice("hw_firmware_type", FirmwareWord.self) {
            platform.firmware = firmware == .bios ? .bios : .uefi(secureBoot: try flag("os_secure_boot") ?? false)
        }
        sockets = try count("hw_cpu_sockets")
        cores = try count("hw_cpu_cores")
        threads = try count("hw_cpu_threads")
    }

    private enum FirmwareWord: String, CaseIterable { case bios, uefi }
    private enum RandomWord: String, CaseIterable { case virtio }
    private enum WatchdogWord: String, CaseIterable {
        case disabled, reset, poweroff, pause, none
        var action: Hardware.WatchdogAction? { Hardware.WatchdogAction(rawValue: rawValue) }
    }
}
