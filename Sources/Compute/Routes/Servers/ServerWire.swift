import CloudCore
import Crypto
import HTTPKit
import HostModel

/// The form of servers in answers, by microversion. One value writes all servers of an answer.
struct ServerWire {
    let call: ComputeCall
    let links: Links
    /// The rights of the caller in the project of the last server, since most answers are about one project.
    private var rights: Rights
    /// The texts that stand for the hosts of the answer's servers.
    private var hostIDs: [String: String] = [:]

    init(_ call: ComputeCall) {
        self.call = call
        links = Links(call)
        rights = Rights(call.caller, in: call.caller.projectID)
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

    /// The parts of a project's servers that the caller may see.
    private struct Rights {
        let projectID: String
        let attributes: Bool
        let hostStatus: Bool
        let extraSpecs: Bool

        init(_ caller: Caller, in projectID: String) {
            self.projectID = projectID
            attributes = caller.may(.showExtendedAttributes, projectID: projectID)
            hostStatus = caller.may(.showHostStatus, projectID: projectID)
            extraSpecs = caller.may(.showServerExtraSpecs, projectID: projectID)
        }
    }

    func write(_ brief: ServerBrief, _ json: inout JSONWriter) {
        json.member("id", brief.id)
        json.member("name", brief.name)
        links.write(&json, "servers", brief.id.text)
    }

    mutating func write(_ view: ServerView, _ parts: Parts = Parts(), _ json: inout JSONWriter) throws {
        let (stored, server) = (view.stored, try view.stored.shown)
        let status = view.status
        if rights.projectID != stored.projectID { rights = Rights(call.caller, in: stored.projectID) }
        json.member("id", server, .id)
        json.member("name", server, .name)
        links.write(&json, "servers", stored.id.text)
        json.member("status", status)
        json.member("tenant_id", server, .projectID)
        json.member("user_id", server, .userID)
        json.member("created", server, .createdAt, .seconds)
        json.member("updated", server, .updatedAt, .seconds)
        json.member("hostId", hostID(stored))
        json.member("accessIPv4", server, .accessIPv4, otherwise: "")
        json.member("accessIPv6", server, .accessIPv6, otherwise: "")
        json.member("metadata", server, .metadata)
        json.member("OS-DCF:diskConfig", server.isTrue(.resizesDisk) ? "AUTO" : "MANUAL")
        flavor(server, &json)
        image(server, &json)
        json.object("addresses") { json in
            if stored.state != .building { Self.addresses(view.ports, extended: parts.all, &json) }
        }
        if ["ERROR", "DELETED"].contains(status), let fault = view.fault { self.fault(fault, &json) }
        if ["ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"].contains(status) {
            // The reference counts the progress in one of its drivers only, and clients print any other number in the
            // middle of their output. So a workflow's progress has a header of its own.
            json.member("progress", 0)
        }
        if parts.all || parts.keyName { json.member("key_name", server, .keyName) }
        if parts.all { state(view, server, parts, &json) }
        if parts.userData, call.minor >= 57 { json.member("user_data", server, .userData) }
        later(view, server, parts, &json)
        if let password = parts.adminPassword { json.member("adminPass", password) }
    }

    /// Writes the attributes that began as API extensions.
    private func state(_ view: ServerView, _ server: ServerDocument, _ parts: Parts, _ json: inout JSONWriter) {
        let minor = call.minor
        json.member("OS-EXT-AZ:availability_zone", view.zone ?? "")
        json.member("config_drive", server.isTrue(.hasConfigDrive) ? "True" : "")
        json.member("OS-SRV-USG:launched_at", server, .launchedAt, .microsecondsNoZone)
        json.member("OS-SRV-USG:terminated_at", server, .endedAt, .microsecondsNoZone)
        json.member("OS-EXT-STS:task_state", view.task)
        json.member("OS-EXT-STS:vm_state", view.stored.state.rawValue)
        json.member("OS-EXT-STS:power_state", server, .power)
        json.array("os-extended-volumes:volumes_attached", of: view.volumes) { json, volume in
            json.object { json in
                json.member("id", volume.volumeID)
                if minor >= 3 { json.member("delete_on_termination", volume.isDeletedWithServer) }
            }
        }
        if !view.securityGroups.isEmpty {
            json.array("security_groups", of: view.securityGroups) { json, name in json.object { $0.member("name", name) } }
        }
        guard rights.attributes else {
            if minor >= 90 { json.member("OS-EXT-SRV-ATTR:hostname", server, .hostname) }
            return
        }
        json.member("OS-EXT-SRV-ATTR:host", server, .host)
        json.member("OS-EXT-SRV-ATTR:hypervisor_hostname", server, .host)
        json.member("OS-EXT-SRV-ATTR:instance_name", Server.hypervisorName(of: server.integer(.number) ?? 0))
        guard minor >= 3 else { return }
        json.member("OS-EXT-SRV-ATTR:hostname", server, .hostname)
        let hasImage = server.has(.imageID)
        json.member("OS-EXT-SRV-ATTR:kernel_id", server, hasImage ? .imageKernel : .volumeKernel, otherwise: "")
        json.member("OS-EXT-SRV-ATTR:ramdisk_id", server, hasImage ? .imageRamdisk : .volumeRamdisk, otherwise: "")
        json.member("OS-EXT-SRV-ATTR:launch_index", server, .launchIndex)
        json.member("OS-EXT-SRV-ATTR:reservation_id", server, .reservationID)
        json.member("OS-EXT-SRV-ATTR:root_device_name", server, .rootDevice)
        if !parts.userData { json.member("OS-EXT-SRV-ATTR:user_data", server, .userData) }
    }

    /// Writes the attributes that came with later microversions.
    private func later(_ view: ServerView, _ server: ServerDocument, _ parts: Parts, _ json: inout JSONWriter) {
        let minor = call.minor
        if minor >= 9 { json.member("locked", server.has(.lockHolder)) }
        if minor >= 16, parts.all, rights.hostStatus { json.member("host_status", Self.hostStatus(view)) }
        if minor >= 19 { json.member("description", server, .description) }
        if minor >= 26 { json.member("tags", server, .tags) }
        if minor >= 63 { json.member("trusted_image_certificates", server, .certificates) }
        if minor >= 71, parts.groups {
            json.array("server_groups") { json in
                if server.has(.groupID) { json.element { server.write(.groupID, into: &$0) } }
            }
        }
        if minor >= 73 { json.member("locked_reason", server, .lockReason) }
        if minor >= 90, !parts.all { json.member("OS-EXT-SRV-ATTR:hostname", server, .hostname) }
        if minor >= 96, parts.all { json.member("pinned_availability_zone", server, .pinnedZone) }
        if minor >= 100 { json.member("scheduler_hints", Self.hints(server.text(.hints) ?? "{}")) }
    }

    /// Returns the hints. Each one is a list, even if it was given as a single value.
    private static func hints(_ given: String) -> JSON {
        let members = (try? JSON.parse(given))?.object?.members ?? []
        let lists = members.map { member -> (String, JSON) in
            (member.key, member.value.array == nil ? .array([member.value]) : member.value)
        }
        return .object(JSONObject(lists))
    }

    private static func hostStatus(_ view: ServerView) -> String {
        guard view.stored.host != nil else { return "" }
        return view.hostIsDisabled ? "MAINTENANCE" : view.hostIsUp == true ? "UP" : "DOWN"
    }

    private func flavor(_ server: ServerDocument, _ json: inout JSONWriter) {
        json.object("flavor") { json in
            guard call.minor >= 47 else {
                json.member("id", server, .flavorID)
                return links.bookmark(&json, "flavors", server.text(.flavorID) ?? "")
            }
            json.member("original_name", server, .flavorName)
            json.member("vcpus", server, .vcpus)
            json.member("ram", server, .ram)
            json.member("disk", server, .disk)
            json.member("ephemeral", server, .ephemeral)
            json.member("swap", server, .swap)
            if rights.extraSpecs { json.member("extra_specs", server, .extraSpecs) }
        }
    }

    private func image(_ server: ServerDocument, _ json: inout JSONWriter) {
        json.key("image")
        guard let image = server.text(.imageID) else { return json.string("") }
        json.object { json in
            json.member("id", server, .imageID)
            links.bookmark(&json, "images", image)
            if call.minor >= 98 { json.member("properties", server, .imageProperties) }
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

    private mutating func hostID(_ server: StoredServer) -> String {
        guard let host = server.host else { return "" }
        let key = server.projectID + host
        if let known = hostIDs[key] { return known }
        let id = Self.hostID(host, of: server.projectID)
        hostIDs[key] = id
        return id
    }

    /// Returns a text that tells whether two servers of a project are on the same host, without naming the host.
    static func hostID(_ host: String?, of projectID: String) -> String {
        guard let host else { return "" }
        return Hex.text(SHA256.hash(data: Array((projectID + host).utf8))).prefix(56).description
    }

    static func addresses(_ ports: [ServerPort], extended: Bool, only: String? = nil, _ json: inout JSONWriter) {
        for (at, port) in ports.enumerated() {
            let name = port.networkName
            guard only ?? name == name, !ports[..<at].contains(where: { $0.networkName == name }) else { continue }
            json.key(dynamic: name)
            json.elements { json in
                for port in ports[at...] where port.networkName == name {
                    for address in port.addresses { json.element { write(address, of: port, extended, &$0) } }
                }
            }
        }
    }

    private static func write(
        _ address: ServerPort.Address, of port: ServerPort, _ extended: Bool, _ json: inout JSONWriter
    ) {
        json.object { json in
            json.member("version", address.version)
            json.member("addr", address.text)
            guard extended else { return }
            json.member("OS-EXT-IPS:type", address.isFloating ? "floating" : "fixed")
            json.member("OS-EXT-IPS-MAC:mac_addr", port.mac)
        }
    }
}
