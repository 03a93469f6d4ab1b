import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of `/os-services`. They show each host's agent under the name of the reference's process, `nova-compute`.
struct ServiceRoutes: RouteGroup {
    let maker: RouteMaker<ComputeCall>
    let hosts: HostService

    private static let binary = "nova-compute"
    private static let query = QueryShape([("host", .any), ("binary", .any)], closedSince: 75)
    /// The first microversion in which a service's id is a UUID, and services are changed by their id.
    private static let uuidSince = 53

    var all: [Route] {
        [
            maker.route(.get, "/os-services", .listServices, query: Self.query) { call in
                var found = try await hosts.all()
                if let host = call.query("host"), !host.isEmpty { found = found.filter { $0.name == host } }
                if let binary = call.query("binary"), !binary.isEmpty, binary != Self.binary { found = [] }
                return try await .page("services", of: found) { Self.write($0, call.minor, &$1) }
            },
            maker.route(.put, "/os-services/{service_id}", .updateService) { call in
                call.minor >= Self.uuidSince ? try await update(call) : try await act(call)
            },
            maker.route(.delete, "/os-services/{service_id}", .deleteService) { call in
                try await hosts.delete(try await require(call))
                return .noContent
            },
        ]
    }

    private func require(_ call: ComputeCall) async throws -> ComputeHost {
        let id = call.parameter("service_id")
        if call.minor >= Self.uuidSince {
            guard UUIDText.normal(id) != nil else { throw CloudError.badRequest("Invalid uuid \(id.prefix(255))") }
        } else if Int(id) == nil {
            throw CloudError.badRequest("Invalid input received: id must be an integer")
        }
        guard let host = try await hosts.all().first(where: { $0.serviceID == id.lowercased() || String($0.number) == id }) else {
            throw CloudError.notFound("Service \(id) not found.")
        }
        return host
    }

    // MARK: Changes

    private static let reason = Form.string(1...255, .printable)
    private static let change = Form.object(
        HostService.Change(),
        [
            .optional("status", \.isDisabled, Form.oneOf(["enabled", "disabled"]).mapped { $0 == "disabled" }),
            .optional("disabled_reason", \.reason, reason), .optional("forced_down", \.isForcedDown, .truth),
        ])

    /// The body of a change before 2.53.
    private struct Act: Sendable {
        var host = ""
        var binary = ""
        var reason: String?
        var isForcedDown: Bool?
    }
    private static let act = Form.object(
        Act(),
        [
            .required("host", \.host, .hostName), .required("binary", \.binary, .string(1...255)),
            .optional("disabled_reason", \.reason, reason), .optional("forced_down", \.isForcedDown, .truth, since: 11),
        ])

    private func update(_ call: ComputeCall) async throws -> Reply {
        let id = call.parameter("service_id")
        guard UUIDText.normal(id) != nil else { throw CloudError.badRequest("Invalid uuid \(id.prefix(255))") }
        let change = try await call.read(Self.change)
        let host = try await require(call)
        if change.reason != nil, change.isDisabled != true {
            throw CloudError.badRequest(
                change.isDisabled == false
                    ? "Specifying 'disabled_reason' with status 'enabled' is invalid."
                    : "Must specify 'status' or 'forced_down' in the request.")
        }
        if change.isDisabled == nil, change.isForcedDown == nil {
            throw CloudError.badRequest("No updates were requested. Fields 'status' or 'forced_down' should be specified.")
        }
        let changed = try await hosts.change(host.name, change)
        return .json { json in json.object("service") { Self.write(changed, call.minor, &$0) } }
    }

    /// Changes a service as before 2.53: the last part of the path names the change, and the body names the service.
    private func act(_ call: ComputeCall) async throws -> Reply {
        let action = call.parameter("service_id")
        let given = try await call.read(Self.act)
        let (host, binary) = (given.host, given.binary)
        var change = HostService.Change()
        switch action {
        case "enable": change.isDisabled = false
        case "disable": change.isDisabled = true
        case "disable-log-reason":
            change.isDisabled = true
            change.reason = given.reason
            if change.reason == nil { throw CloudError.badRequest("Missing disabled reason field") }
        case "force-down" where call.minor >= 11:
            change.isForcedDown = given.isForcedDown
            if change.isForcedDown == nil { throw CloudError.badRequest("Missing forced_down field") }
        default: throw CloudError.notFound("Unknown action")
        }
        guard binary == Self.binary else {
            throw CloudError.badRequest(
                "Updating a \(binary) service is not supported. Only nova-compute services can be updated.")
        }
        _ = try await hosts.change(host, change)
        return .json { [change] json in
            json.object("service") { json in
                json.member("host", host)
                json.member("binary", binary)
                if let isDisabled = change.isDisabled { json.member("status", isDisabled ? "disabled" : "enabled") }
                if let reason = change.reason { json.member("disabled_reason", reason) }
                if let isForcedDown = change.isForcedDown { json.member("forced_down", isForcedDown) }
            }
        }
    }

    private static func write(_ host: ComputeHost, _ minor: Int, _ json: inout JSONWriter) {
        json.key("id")
        if minor >= uuidSince { json.string(host.serviceID) } else { json.integer(Int64(host.number)) }
        json.member("binary", binary)
        json.member("host", host.name)
        json.member("zone", host.zone)
        json.member("status", host.isDisabled ? "disabled" : "enabled")
        json.member("state", host.isUp ? "up" : "down")
        json.member("updated_at", host.report.lastSeen.iso8601MicrosecondsNoZone)
        json.member("disabled_reason", host.disabledReason)
        if minor >= 11 { json.member("forced_down", host.isForcedDown) }
    }
}
