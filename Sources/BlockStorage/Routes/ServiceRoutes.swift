import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-services`: the hosts with pools, and the operators' decisions about them.
struct ServiceRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let hosts: StorageHostService

    private static let clusterSince = 7
    private static let backendSince = 49

    private struct Named: Sendable {
        var host: String?
        var service = ""
        var binary = ""
        var reason: String?
    }

    private static let named = Form.object(
        Named(),
        [
            .optional("host", \.host, .nullable(.string(1...255, .place))),
            .optional("service", \.service, .string(0...255)), .optional("binary", \.binary, .string(0...255)),
            .optional("disabled_reason", \.reason, .nullable(.string(0...255))),
            .ignored("cluster", .nullable(.string(0...255))),
        ])

    var all: [Route] {
        [
            maker.route(.get, "/os-services", .listServices) { call in try await list(call) },
            maker.route(.put, "/os-services/enable", .updateServices) { call in
                try await change(call) { host, _ in (host.isDisabled, host.disabledReason) = (false, nil) }
            },
            maker.route(.put, "/os-services/disable", .updateServices) { call in
                try await change(call) { host, _ in (host.isDisabled, host.disabledReason) = (true, nil) }
            },
            maker.route(.put, "/os-services/disable-log-reason", .updateServices) { call in
                try await change(call, needsReason: true) { host, named in
                    (host.isDisabled, host.disabledReason) = (true, named.reason?.trimmed)
                }
            },
            maker.route(.put, "/os-services/freeze", .freezeHost) { call in
                try await freeze(call, isWanted: true)
            },
            maker.route(.put, "/os-services/thaw", .thawHost) { call in try await freeze(call, isWanted: false) },
            maker.route(.put, "/os-services/failover_host", .updateServices) { call in try await failOver(call) },
            // The command of older releases.
            maker.route(.put, "/os-services/failover", .updateServices, since: Self.replicationSince) { call in
                try await failOver(call)
            },
        ]
    }

    // MARK: Replication

    private static let replicationSince = 26

    private struct Failover: Sendable {
        var host: String?
        var cluster: String?
        var backend: String?
    }

    private static let failover = Form.object(
        Failover(),
        [
            .optional("host", \.host, .nullable(.string(1...255, .place))),
            .optional("cluster", \.cluster, .nullable(.string(0...255))),
            .optional("backend_id", \.backend, .nullable(.string(0...255))),
        ])

    private func failOver(_ call: VolumeCall) async throws -> Reply {
        let wish = try await call.read(Self.failover)
        let target = try HostOrCluster(
            host: wish.host, cluster: wish.cluster, knowsClusters: call.minor >= Self.replicationSince)
        try call.caller.require(.failoverHost)
        try await hosts.refuseFailover(of: target)
        return .accepted
    }

    // MARK: Decisions

    private func change(
        _ call: VolumeCall, needsReason: Bool = false,
        _ body: @escaping @Sendable (inout StorageHost, Named) throws -> Void
    ) async throws -> Reply {
        let named = try await call.read(Self.named)
        guard let host = named.host else { throw VolumeRefusal.input("Host field is missing.") }
        if needsReason, named.reason?.trimmed.isEmpty ?? true {
            throw VolumeRefusal.input("Disabled reason contains invalid characters or is too long")
        }
        try await hosts.change(host) { try body(&$0, named) }
        let isDisabled = !call.call.path.hasSuffix("/enable")
        return .json { json in
            json.member("host", host)
            json.member("service", named.service)
            json.member("binary", named.binary)
            json.member("status", isDisabled ? "disabled" : "enabled")
            json.member("disabled", isDisabled)
            if let reason = named.reason { json.member("disabled_reason", reason) }
        }
    }

    private func freeze(_ call: VolumeCall, isWanted: Bool) async throws -> Reply {
        let named = try await call.read(Self.named)
        guard let host = named.host else { throw VolumeRefusal.input("Host field is missing.") }
        do {
            try await hosts.change(host) { decision in
                guard decision.isFrozen != isWanted else {
                    throw VolumeRefusal.input("Host must \(isWanted ? "not " : "")be frozen.")
                }
                decision.isFrozen = isWanted
            }
        } catch let error as CloudError where error.kind == .notFound {
            throw VolumeRefusal.input(error.message)
        }
        return .ok
    }

    private func list(_ call: VolumeCall) async throws -> Reply {
        let all = try await hosts.services()
        let found = all.filter { service in
            (call.query("host").map { service.host == $0 || service.host.hasPrefix($0 + "@") } ?? true)
                && (call.query("binary").map { service.binary == $0 } ?? true)
        }
        return .json { json in
            json.array("services", of: found) { json, service in json.object { Self.write(service, call.minor, &$0) } }
        }
    }

    private static func write(_ service: StorageHostService.Entry, _ minor: Int, _ json: inout JSONWriter) {
        json.member("binary", service.binary)
        json.member("host", service.host)
        json.member("zone", service.zone)
        json.member("status", service.decision?.isDisabled == true ? "disabled" : "enabled")
        json.member("state", service.isUp ? "up" : "down")
        let changed = max(service.lastSeen, service.decision?.updatedAt ?? service.lastSeen)
        json.member("updated_at", changed.iso8601MicrosecondsNoZone)
        if minor >= backendSince, service.hasPool { json.member("backend_state", service.isUp ? "up" : "down") }
        if minor >= clusterSince { json.member("cluster", nil as String?) }
        json.member("disabled_reason", service.decision?.disabledReason)
        guard service.hasPool else { return }
        json.member("replication_status", "disabled")
        json.member("active_backend_id", nil as String?)
        json.member("frozen", service.decision?.isFrozen ?? false)
    }
}
