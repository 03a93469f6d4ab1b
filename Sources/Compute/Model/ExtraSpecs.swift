import CloudCore
import HTTPKit

/// The known extra specs and the values that they take, by the reference's validators. A name whose namespace is not
/// listed here may have any value.
enum ExtraSpecs {
    private enum Value {
        case text
        case whole(ClosedRange<Int>)
        case truth
        case words([String])
        case matching(pattern: String, @Sendable (String) -> Bool)

        static var natural: Value { .whole(0 ... .max) }
        static var integer: Value { .whole(.min ... .max) }
    }

    /// The known names. In a name, `{id}` stands for a number and `{any}` for any text.
    private static let known: [(name: String, value: Value)] =
        [
            ("accel:device_profile", .text), ("aggregate_instance_extra_specs:{any}", .text),
            ("hide_hypervisor_id", .truth), ("group_policy", .words(["isolate", "none"])),
            ("hw_rng:allowed", .truth), ("hw_rng:rate_bytes", .natural), ("hw_rng:rate_period", .natural),
            ("hw_video:ram_max_mb", .natural), ("os:secure_boot", .words(["disabled", "required"])),
            ("pci_passthrough:alias", .matching(pattern: #"[^:]+:\d+(?:\s*,\s*[^:]+:\d+)*"#, isAlias)),
            ("hw:boot_menu", .truth), ("hw:cpu_cores", .whole(1 ... .max)), ("hw:cpu_sockets", .whole(1 ... .max)),
            ("hw:cpu_threads", .whole(1 ... .max)), ("hw:cpu_max_cores", .whole(1 ... .max)),
            ("hw:cpu_max_sockets", .whole(1 ... .max)), ("hw:cpu_max_threads", .whole(1 ... .max)),
            ("hw:cpu_policy", .words(["shared", "dedicated", "mixed"])),
            ("hw:cpu_thread_policy", .words(["prefer", "isolate", "require"])),
            ("hw:cpu_realtime", .truth), ("hw:cpu_realtime_mask", .matching(pattern: #"(\^)?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*"#, isList)),
            ("hw:cpu_dedicated_mask", .matching(pattern: #"(\^)?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*|all"#) { isList($0) || $0 == "all" }),
            ("hw:emulator_threads_policy", .words(["isolate", "share"])), ("hw:hide_hypervisor_id", .truth),
            ("hw:locked_memory", .truth), ("hw:ephemeral_encryption", .truth), ("hw:ephemeral_encryption_format", .words(["luks", "plain"])),
            ("hw:input_bus", .words(["usb", "virtio"])), ("hw:pointer_model", .words(["ps2mouse", "usbtablet"])),
            ("hw:machine_type", .text), ("hw:mem_encryption", .truth), ("hw:mem_encryption_model", .text),
            ("hw:mem_page_size", .matching(pattern: #"(large|small|any|\d+([kKMGT]i?)?(b|bit|B)?)"#, isPageSize)),
            ("hw:numa_nodes", .whole(1 ... .max)), ("hw:numa_cpus.{id}", .matching(pattern: #"\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*"#, isList)),
            ("hw:numa_mem.{id}", .whole(1 ... .max)), ("hw:max_phys_bits", .whole(1...64)),
            ("hw:maxphysaddr_mode", .words(["passthrough", "emulate"])), ("hw:maxphysaddr_bits", .natural),
            ("hw:pci_numa_affinity_policy", .words(["required", "preferred", "legacy", "socket"])),
            ("hw:pmem", .text), ("hw:pmu", .truth), ("hw:rescue_bus", .text), ("hw:rescue_device", .text),
            ("hw:serial_port_count", .natural), ("hw:tpm_model", .words(["tpm-tis", "tpm-crb"])), ("hw:tpm_version", .words(["1.2", "2.0"])),
            ("hw:tpm_secret_security", .words(["user", "host", "deployment"])), ("hw:viommu_model", .text),
            ("hw:virtio_packed_ring", .truth), ("hw:vif_multiqueue_enabled", .truth), ("hw:sound_model", .text),
            ("hw:usb_model", .text), ("hw:redirected_usb_ports", .whole(0...15)),
            ("hw:watchdog_action", .words(["none", "pause", "poweroff", "reset", "disabled"])), ("hw:time_hpet", .truth),
            ("hw:cpu_shared_set", .text), ("hw:stateless_firmware", .truth), ("hw:firmware_type", .words(["bios", "uefi"])),
        ] + quota + capabilities

    private static let quota: [(name: String, value: Value)] =
        [
            "cpu_limit", "cpu_shares_share", "memory_limit", "memory_shares_share", "disk_io_limit", "disk_io_shares_share", "vif_limit",
            "vif_shares_share", "cpu_shares", "cpu_period", "disk_read_bytes_sec", "disk_read_iops_sec", "disk_write_bytes_sec",
            "disk_write_iops_sec", "disk_total_bytes_sec", "disk_total_iops_sec", "vif_inbound_average", "vif_inbound_peak",
            "vif_inbound_burst", "vif_outbound_average", "vif_outbound_peak", "vif_outbound_burst",
        ].map { ("quota:" + $0, .natural) }
        + ["cpu_reservation", "memory_reservation", "disk_io_reservation", "vif_reservation", "cpu_quota"]
            .map { ("quota:" + $0, .integer) }
        + ["cpu", "memory", "disk_io", "vif"].map { ("quota:\($0)_shares_level", .words(["custom", "high", "normal", "low"])) }

    private static let capabilities: [(name: String, value: Value)] =
        [
            "id", "uuid", "service_id", "host", "vcpus", "memory_mb", "local_gb", "vcpus_used", "memory_mb_used", "local_gb_used",
            "hypervisor_type", "hypervisor_version", "hypervisor_hostname", "free_ram_mb", "free_disk_gb", "current_workload",
            "running_vms", "disk_available_least", "host_ip", "mapped", "cpu_allocation_ratio", "ram_allocation_ratio",
            "disk_allocation_ratio", "total_usable_ram_mb", "total_usable_disk_gb", "disk_mb_used", "free_disk_mb", "vcpus_total",
            "num_instances", "num_io_ops", "failed_builds", "aggregates", "cell_uuid", "updated",
        ].map { ("capabilities:" + $0, .text) }
        + [
            "cpu_info", "metrics", "stats", "numa_topology", "supported_hv_specs", "pci_device_pools", "nodename", "pci_stats",
            "supported_instances", "limits", "instances",
        ].flatMap { [("capabilities:" + $0, Value.text), ("capabilities:\($0):{any}", .text)] }

    private static let byName = Dictionary(known.filter { !$0.name.contains("{") }.map { ($0.name, $0.value) }) { first, _ in first }
    private static let patterns = known.filter { $0.name.contains("{") }
    private static let namespaces = Set(known.compactMap { $0.name.contains(":") ? $0.name.split(separator: ":").first.map(String.init) : nil })

    /// Refuses a value that the extra spec does not take, and an unknown name in a known namespace. It does not check
    /// that a trait or a resource class exists.
    ///
    /// - Throws: `CloudError.badRequest`.
    static func check(_ name: String, _ value: String) throws {
        if let known = byName[name] ?? patterns.first(where: { matches(name, $0.name) })?.value { return try check(value, known) }
        guard let colon = name.firstIndex(of: ":") else { return }
        let space = name[..<colon]
        let rest = name[name.index(after: colon)...]
        if let suffix = group(space, "resources"), isGroup(suffix), isUpper(rest) { return try check(value, .integer) }
        if let suffix = group(space, "trait"), isGroup(suffix), isUpper(rest) {
            return try check(value, .words(["required", "forbidden"]))
        }
        guard namespaces.contains(String(space)) || group(space, "resources") != nil || group(space, "trait") != nil else { return }
        throw CloudError.badRequest("Validation failed; extra spec '\(name)' does not appear to be a valid extra spec.")
    }

    private static func check(_ value: String, _ known: Value) throws {
        let isRight: Bool
        let expected: String
        switch known {
        case .text: return
        case .truth: (isRight, expected) = (Truth.strict(value) != nil, "a valid boolean-like value")
        case .words(let words): (isRight, expected) = (words.contains(value), "one of: \(words.joined(separator: ", "))")
        case .matching(let pattern, let matches): (isRight, expected) = (matches(value), "of the format '\(pattern)'")
        case .whole(let range):
            guard let number = Int(value) else { throw CloudError.badRequest("Validation failed; '\(value)' is not a valid integer value.") }
            if number < range.lowerBound {
                throw CloudError.badRequest("Validation failed; '\(number)' is less than the min value of '\(range.lowerBound)'.")
            }
            if number > range.upperBound {
                throw CloudError.badRequest("Validation failed; '\(number)' is greater than the max value of '\(range.upperBound)'.")
            }
            return
        }
        guard isRight else { throw CloudError.badRequest("Validation failed; '\(value)' is not \(expected).") }
    }

    private static func matches(_ name: String, _ pattern: String) -> Bool {
        guard let brace = pattern.firstIndex(of: "{"), name.hasPrefix(pattern[..<brace]) else { return false }
        let rest = name.dropFirst(pattern[..<brace].count)
        return pattern.hasSuffix("{id}") ? !rest.isEmpty && rest.allSatisfy(\.isNumber) : !rest.isEmpty
    }

    private static func group(_ space: Substring, _ word: String) -> Substring? { space.hasPrefix(word) ? space.dropFirst(word.count) : nil }

    private static func isGroup(_ text: Substring) -> Bool {
        text.utf8.count <= 64 && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
    }

    private static func isUpper(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { ($0 >= 65 && $0 <= 90) || ($0 >= 48 && $0 <= 57) || $0 == 95 }
    }

    @Sendable private static func isAlias(_ text: String) -> Bool {
        text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { part in
            let pair = part.trimmed.split(separator: ":", omittingEmptySubsequences: false)
            return pair.count == 2 && !pair[0].isEmpty && Int(pair[1]) != nil
        }
    }

    /// Returns whether the text is a list of numbers and ranges, such as `0-3,^1,7`.
    @Sendable private static func isList(_ text: String) -> Bool {
        !text.isEmpty
            && text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy { part in
                let range = (part.hasPrefix("^") ? part.dropFirst() : part).split(separator: "-", omittingEmptySubsequences: false)
                return (1...2).contains(range.count) && range.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isNumber) }
            }
    }

    @Sendable private static func isPageSize(_ text: String) -> Bool {
        if ["large", "small", "any"].contains(text) { return true }
        let unit = text.drop { $0.isNumber }
        guard unit.count < text.count else { return false }
        return ["", "k", "K", "M", "G", "T", "ki", "Ki", "Mi", "Gi", "Ti"].contains { prefix in
            ["", "b", "bit", "B"].contains { unit == prefix + $0 }
        }
    }
}
