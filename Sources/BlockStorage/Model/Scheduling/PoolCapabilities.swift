import CloudCore
import HostModel

/// The capabilities of a pool by the reference's names: extra specs of types ask for them, and `get_pools` shows them.
enum PoolCapabilities {
    /// The extra specs that say something of the type alone, and that no pool reports.
    static let ofTypes: Set<String> = ["multiattach", "cacheable", "replication_enabled", "provisioning:type"]

    /// Returns the value that a pool reports; nil for a name that it does not report.
    static func value(_ name: String, of pool: PoolState) -> String? {
        guard let value = all(of: pool)[name] else { return nil }
        switch value {
        case .bool(let value): return value ? "True" : "False"
        case .string(let text): return text
        default: return value.text
        }
    }

    static func all(of state: PoolState) -> JSONObject {
        let pool = state.report.pool
        func has(_ ability: VolumePool.Ability) -> JSON { .bool(pool.abilities.contains(ability)) }
        return [
            "total_capacity_gb": .integer(Int64(state.totalGiB)), "free_capacity_gb": .integer(Int64(state.freeGiB)),
            "allocated_capacity_gb": .integer(Int64(state.allocatedGiB)),
            "provisioned_capacity_gb": .integer(Int64(state.provisionedGiB)),
            "max_over_subscription_ratio": .string("\(pool.bounds.overSubscription)"),
            "reserved_percentage": .integer(Int64(100 - pool.bounds.hardPercent)),
            "thin_provisioning_support": has(.thin), "thick_provisioning_support": has(.thick),
            "multiattach": has(.multiattach), "QoS_support": has(.qos), "online_extend_support": has(.onlineExtend),
            "volume_backend_name": .string(pool.name), "driver_version": "1.0", "vendor_name": "Novella",
            "storage_protocol": "file", "location_info": .string(state.name.host),
            "timestamp": .string(state.report.lastSeen.iso8601MicrosecondsNoZone),
            "backend_state": .string(state.report.isUp ? "up" : "down"),
        ]
    }
}
