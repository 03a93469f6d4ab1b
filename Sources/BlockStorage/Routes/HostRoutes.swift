import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-hosts`, an older view of the services: which are enabled, and what is in their pools.
struct HostRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let hosts: StorageHostService

    var all: [Route] {
        let one = "/os-hosts/{host_name}"
        return [
            maker.route(.get, "/os-hosts", .manageHosts) { call in
                let found = try await hosts.enabled(in: call.query("zone"))
                return .json { json in
                    json.array("hosts", of: found) { json, service in json.object { Self.write(service, &$0) } }
                }
            },
            maker.route(.get, one, .manageHosts) { call in
                let host = call.parameter("host_name")
                let usage = try await hosts.usage(of: host)
                return .json { json in
                    json.array("host", of: usage) { json, usage in
                        json.object { json in json.object("resource") { Self.write(usage, host, &$0) } }
                    }
                }
            },
            maker.route(.put, one, .manageHosts) { call in
                let host = call.parameter("host_name")
                let isEnabled = try Self.isEnabled(try await call.call.body.json())
                try await hosts.requireEnabled(host)
                try await hosts.change(host) { $0.isDisabled = !isEnabled }
                return .json { json in
                    json.member("host", host)
                    json.member("status", isEnabled ? "enabled" : "disabled")
                }
            },
        ]
    }

    /// Returns the state that a body asks for. Its words may be written in capitals.
    private static func isEnabled(_ body: JSONObject) throws -> Bool {
        var isEnabled = true
        for (name, value) in body.members {
            guard name.trimmed.lowercased() == "status" else {
                throw CloudError.badRequest("Invalid update setting: '\(name.prefix(255))'")
            }
            switch value.string?.trimmed.lowercased() {
            case "enable": isEnabled = true
            case "disable": isEnabled = false
            default: throw CloudError.badRequest("Invalid status: '\((value.string ?? value.text).prefix(255))'")
            }
        }
        return isEnabled
    }

    private static func write(_ service: StorageHostService.Entry, _ json: inout JSONWriter) {
        json.member("host_name", service.host)
        json.member("service", service.binary)
        json.member("zone", service.zone)
        json.member("service-status", service.isUp ? "available" : "unavailable")
        json.member("service-state", "enabled")
        json.member("last-update", service.lastSeen.iso8601MicrosecondsNoZone)
    }

    private static func write(_ usage: PoolUsage, _ host: String, _ json: inout JSONWriter) {
        json.member("host", host)
        json.member("project", usage.project ?? "(total)")
        json.member("volume_count", "\(usage.volumes)")
        json.member("total_volume_gb", "\(usage.volumeGiB)")
        json.member("snapshot_count", "\(usage.snapshots)")
        json.member("total_snapshot_gb", "\(usage.snapshotGiB)")
    }
}
