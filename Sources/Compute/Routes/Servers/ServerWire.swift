import CloudCore
import Crypto
import HTTPKit
import HostModel

/// The form of servers in answers, by microversion.
struct ServerWire: Sendable {
    let call: ComputeCall
    let links: Links

    init(_ call: ComputeCall) {
        self.call = call
        links = Links(call)
    }

    /// The parts of a view. Before 2.75, the answers to updates and rebuilds have fewer parts.
    struct Parts: Sendable {
        var all = true
        var keyName = true
        /// Whether the user data is shown under the name that it has only in answers to rebuilds.
        var userData = false
        var groups = false
        var adminPassword: String?
    }

    func write(_ brief: ServerBrief, _ json: inout JSONWriter) {
        json.member("id", brief.id)
        json.member("name", brief.name)
        links.write(&json, "servers", brief.id.text)
    }

    func write(_ view: ServerView, _ parts: Parts = Parts(), _ json: inout JSONWriter) {
        let server = view.server
        let minor = call.minor
        write(ServerBrief(id: server.id, name: server.name), &json)
        json.member("status", view.status)
        json.member("tenant_id", server.projectID)
        json.member("user_id", server.userID)
        json.member("created", server.createdAt.iso8601Seconds)
        json.member("updated", server.updatedAt.iso8601Seconds)
        json.member("hostId", Self.hostID(server))
        json.member("accessIPv4", server.accessIPv4 ?? "")
        json.member("accessIPv6", server.accessIPv6 ?? "")
        json.object("metadata") { $0.members(of: TextMap.json(server.metadata)) }
        json.member("OS-DCF:diskConfig", server.resizesDisk ? "AUTO" : "MANUAL")
        flavor(server, &json)
        image(server, &json)
        json.object("addresses") { json in
            if server.state != .building { Self.addresses(view.ports, extended: parts.all, &json) }
        }
        if ["ERROR", "DELETED"].contains(view.status), let fault = view.fault { self.fault(fault, &json) }
        if ["ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"].contains(view.status) {
            // The reference counts the progress in one of its drivers only, and clients print any other number in the
            // middle of their output. So a workflow's progress has a header of its own.
            json.member("progress", 0)
        }
        if parts.all || parts.keyName { json.member("key_name", server.keyName) }
        if parts.all { state(view, parts, &json) }
        if parts.userData, minor >= 57 { json.member("user_data", server.userData) }
        later(view, parts, &json)
        if let password = parts.adminPassword { json.member("adminPass", password) }
    }

    /// Writes the attributes that began as API extensions.
    private func state(_ view: ServerView, _ parts: Parts, _ json: inout JSONWriter) {
        let server = view.server
        let minor = call.minor
        json.member("OS-EXT-AZ:availability_zone", view.zone ?? "")
        json.member("config_drive", server.hasConfigDrive ? "True" : "")
        json.member("OS-SRV-USG:launched_at", server.launchedAt?.iso8601MicrosecondsNoZone)
        json.member("OS-SRV-USG:terminated_at", server.endedAt?.iso8601MicrosecondsNoZone)
        json.member("OS-EXT-STS:task_state", view.task)
        json.member("OS-EXT-STS:vm_state", server.state.rawValue)
        json.member("OS-EXT-STS:power_state", server.power.rawValue)
        json.array("os-extended-volumes:volumes_attached", of: view.volumes) { json, volume in
            json.object { json in
                json.member("id", volume.volumeID)
                if minor >= 3 { json.member("delete_on_termination", volume.isDeletedWithServer) }
            }
        }
        if !view.securityGroups.isEmpty {
            json.array("security_groups", of: view.securityGroups) { json, name in json.object { $0.member("name", name) } }
        }
        guard call.caller.may(.showExtendedAttributes, projectID: server.projectID) else {
            if minor >= 90 { json.member("OS-EXT-SRV-ATTR:hostname", server.hostname) }
            return
        }
        json.member("OS-EXT-SRV-ATTR:host", server.host)
        json.member("OS-EXT-SRV-ATTR:hypervisor_hostname", server.host)
        json.member("OS-EXT-SRV-ATTR:instance_name", server.hypervisorName)
        guard minor >= 3 else { return }
        json.member("OS-EXT-SRV-ATTR:hostname", server.hostname)
        json.member("OS-EXT-SRV-ATTR:kernel_id", server.imageProperties["kernel_id"] ?? "")
        json.member("OS-EXT-SRV-ATTR:ramdisk_id", server.imageProperties["ramdisk_id"] ?? "")
        json.member("OS-EXT-SRV-ATTR:launch_index", server.launchIndex)
        json.member("OS-EXT-SRV-ATTR:reservation_id", server.reservationID)
        json.member("OS-EXT-SRV-ATTR:root_device_name", server.rootDevice)
        if !parts.userData { json.member("OS-EXT-SRV-ATTR:user_data", server.userData) }
    }

    /// Writes the attributes that came with later microversions.
    private func later(_ view: ServerView, _ parts: Parts, _ json: inout JSONWriter) {
        let server = view.server
        let minor = call.minor
        if minor >= 9 { json.member("locked", server.lock != nil) }
        if minor >= 16, parts.all, let status = hostStatus(view) { json.member("host_status", status) }
        if minor >= 19 { json.member("description", server.description) }
        if minor >= 26 { json.array("tags", of: server.tags) { $0.string($1) } }
        if minor >= 63 {
            json.key("trusted_image_certificates")
            if let certificates = server.certificates { json.array(of: certificates) { $0.string($1) } } else { json.null() }
        }
        if minor >= 71, parts.groups {
            json.array("server_groups", of: [server.groupID].compactMap(\.self)) { $0.string($1.text) }
        }
        if minor >= 73 { json.member("locked_reason", server.lock?.reason) }
        if minor >= 90, !parts.all { json.member("OS-EXT-SRV-ATTR:hostname", server.hostname) }
        if minor >= 96, parts.all { json.member("pinned_availability_zone", server.pinnedZone) }
        if minor >= 100 { json.member("scheduler_hints", Self.hints(server.hints.given)) }
    }

    /// Returns the hints. Each one is a list, even if it was given as a single value.
    private static func hints(_ given: String) -> JSON {
        let members = (try? JSON.parse(given))?.object?.members ?? []
        let lists = members.map { member -> (String, JSON) in
            (member.key, member.value.array == nil ? .array([member.value]) : member.value)
        }
        return .object(JSONObject(lists))
    }

    private func hostStatus(_ view: ServerView) -> String? {
        let isKnown = call.caller.may(.showHostStatus, projectID: view.server.projectID)
        guard view.server.host != nil else { return isKnown ? "" : nil }
        let status = view.hostIsDisabled ? "MAINTENANCE" : view.hostIsUp == true ? "UP" : "DOWN"
        return isKnown ? status : nil
    }

    private func flavor(_ server: Server, _ json: inout JSONWriter) {
        let flavor = server.flavor
        json.object("flavor") { json in
            guard call.minor >= 47 else {
                json.member("id", flavor.id)
                return links.bookmark(&json, "flavors", flavor.id.text)
            }
            json.member("original_name", flavor.name)
            json.member("vcpus", flavor.vcpus)
            json.member("ram", flavor.ramMiB)
            json.member("disk", flavor.diskGiB)
            json.member("ephemeral", flavor.ephemeralGiB)
            json.member("swap", flavor.swapMiB)
            if call.caller.may(.showServerExtraSpecs, projectID: server.projectID) {
                FlavorWire.specs("extra_specs", flavor.extraSpecs, &json)
            }
        }
    }

    private func image(_ server: Server, _ json: inout JSONWriter) {
        json.key("image")
        guard let image = server.image else { return json.string("") }
        json.object { json in
            json.member("id", image.id)
            links.bookmark(&json, "images", image.id.text)
            if call.minor >= 98 { json.object("properties") { $0.members(of: TextMap.json(image.properties)) } }
        }
    }

    private func fault(_ fault: Server.Fault, _ json: inout JSONWriter) {
        json.object("fault") { json in
            json.member("code", fault.code)
            json.member("created", fault.at.iso8601Seconds)
            json.member("message", fault.message)
            if let details = fault.details, call.caller.isAdministrator { json.member("details", details) }
        }
    }

    /// Returns a text that tells whether two servers of a project are on the same host, without naming the host.
    static func hostID(_ server: Server) -> String {
        guard let host = server.host else { return "" }
        return Hex.text(SHA256.hash(data: Array((server.projectID + host).utf8))).prefix(56).description
    }

    static func addresses(_ ports: [ServerPort], extended: Bool, only: String? = nil, _ json: inout JSONWriter) {
        var names: [String] = []
        for port in ports where !names.contains(port.networkName) && only ?? port.networkName == port.networkName {
            names.append(port.networkName)
        }
        for name in names {
            let addresses = ports.filter { $0.networkName == name }.flatMap { port in port.addresses.map { (port, $0) } }
            json.array(dynamic: name, of: addresses) { json, pair in
                json.object { json in
                    json.member("version", pair.1.version)
                    json.member("addr", pair.1.text)
                    guard extended else { return }
                    json.member("OS-EXT-IPS:type", pair.1.isFloating ? "floating" : "fixed")
                    json.member("OS-EXT-IPS-MAC:mac_addr", pair.0.mac)
                }
            }
        }
    }
}
