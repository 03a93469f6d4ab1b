@testable import BlockStorage
import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// The operations that the reference's API reference documents (Cinder 28, `api-ref/source/v3`), walked one by one.
@Suite("The reference's operations")
struct ReferenceRouteTests {
    /// Each URL with its methods. `{}` stands for one segment, and the project is left out.
    private static let documented = """
        / GET
        /v3 GET
        /v3/attachments GET POST
        /v3/attachments/detail GET
        /v3/attachments/{} GET PUT DELETE
        /v3/attachments/{}/action POST
        /v3/backups GET POST
        /v3/backups/detail GET
        /v3/backups/import_record POST
        /v3/backups/{} GET PUT DELETE
        /v3/backups/{}/action POST
        /v3/backups/{}/export_record GET
        /v3/backups/{}/restore POST
        /v3/capabilities/{} GET
        /v3/cgsnapshots GET POST
        /v3/cgsnapshots/detail GET
        /v3/cgsnapshots/{} GET DELETE
        /v3/clusters GET
        /v3/clusters/detail GET
        /v3/clusters/disable PUT
        /v3/clusters/enable PUT
        /v3/clusters/{} GET
        /v3/consistencygroups GET POST
        /v3/consistencygroups/create_from_src POST
        /v3/consistencygroups/detail GET
        /v3/consistencygroups/{} GET
        /v3/consistencygroups/{}/delete POST
        /v3/consistencygroups/{}/update PUT
        /v3/default-types GET
        /v3/default-types/{} GET PUT DELETE
        /v3/extensions GET
        /v3/group_snapshots GET POST
        /v3/group_snapshots/detail GET
        /v3/group_snapshots/{} GET DELETE
        /v3/group_snapshots/{}/action POST
        /v3/group_types GET POST
        /v3/group_types/default GET
        /v3/group_types/{} GET PUT DELETE
        /v3/group_types/{}/group_specs GET POST
        /v3/group_types/{}/group_specs/{} GET PUT DELETE
        /v3/groups GET POST
        /v3/groups/action POST
        /v3/groups/detail GET
        /v3/groups/{} GET PUT
        /v3/groups/{}/action POST
        /v3/limits GET
        /v3/manageable_snapshots GET POST
        /v3/manageable_snapshots/detail GET
        /v3/manageable_volumes GET POST
        /v3/manageable_volumes/detail GET
        /v3/messages GET
        /v3/messages/{} GET DELETE
        /v3/os-availability-zone GET
        /v3/os-hosts GET
        /v3/os-hosts/{} GET
        /v3/os-quota-class-sets/{} GET PUT
        /v3/os-quota-sets/{} GET PUT DELETE
        /v3/os-quota-sets/{}/defaults GET
        /v3/os-services GET
        /v3/os-services/disable PUT
        /v3/os-services/disable-log-reason PUT
        /v3/os-services/enable PUT
        /v3/os-services/failover_host PUT
        /v3/os-services/freeze PUT
        /v3/os-services/get-log PUT
        /v3/os-services/set-log PUT
        /v3/os-services/thaw PUT
        /v3/os-volume-transfer GET POST
        /v3/os-volume-transfer/detail GET
        /v3/os-volume-transfer/{} GET DELETE
        /v3/os-volume-transfer/{}/accept POST
        /v3/qos-specs GET POST
        /v3/qos-specs/{} GET PUT DELETE
        /v3/qos-specs/{}/associate GET
        /v3/qos-specs/{}/associations GET
        /v3/qos-specs/{}/delete_keys PUT
        /v3/qos-specs/{}/disassociate GET
        /v3/qos-specs/{}/disassociate_all GET
        /v3/resource_filters GET
        /v3/scheduler-stats/get_pools GET
        /v3/snapshots GET POST
        /v3/snapshots/detail GET
        /v3/snapshots/{} GET PUT DELETE
        /v3/snapshots/{}/action POST
        /v3/snapshots/{}/metadata GET POST PUT
        /v3/snapshots/{}/metadata/{} GET PUT DELETE
        /v3/types GET POST
        /v3/types/default GET
        /v3/types/{} GET PUT DELETE
        /v3/types/{}/action POST
        /v3/types/{}/encryption GET POST
        /v3/types/{}/encryption/{} GET PUT DELETE
        /v3/types/{}/extra_specs GET POST
        /v3/types/{}/extra_specs/{} GET PUT DELETE
        /v3/types/{}/os-volume-type-access GET
        /v3/volume-transfers GET POST
        /v3/volume-transfers/detail GET
        /v3/volume-transfers/{} GET DELETE
        /v3/volume-transfers/{}/accept POST
        /v3/volumes GET POST
        /v3/volumes/detail GET
        /v3/volumes/summary GET
        /v3/volumes/{} GET PUT DELETE
        /v3/volumes/{}/action POST
        /v3/volumes/{}/metadata GET POST PUT
        /v3/volumes/{}/metadata/{} GET PUT DELETE
        /v3/workers/cleanup POST
        """

    /// The operations that do not exist, by the beginning of their URLs, and why.
    private static let missing = [
        (begin: "/v3/types/{}/encryption", methods: ["POST", "PUT", "DELETE"], reason: "No type can be encrypted yet."),
    ]

    private static let operations: [(method: String, url: String)] = documented.split(separator: "\n").flatMap { line in
        let words = line.split(separator: " ").map(String.init)
        return words.dropFirst().map { (method: $0, url: words[0]) }
    }

    private static func isMissing(_ method: String, _ url: String) -> Bool {
        missing.contains { url.hasPrefix($0.begin) && $0.methods.contains(method) }
    }

    /// Returns whether a route's path has the URL.
    private static func serves(_ path: String, _ url: String) -> Bool {
        let (parts, wanted) = (path.split(separator: "/"), url.split(separator: "/"))
        return parts.count == wanted.count && zip(parts, wanted).allSatisfy { $0 == $1 || $0.hasPrefix("{") }
    }

    @Test("Each of them exists, or is missing for a reason")
    func walk() async throws {
        #expect(Self.operations.count == 164)
        try await TestCloud.run { cloud in
            let routes = cloud.cloud.blockStorage.service.routes.filter { !$0.path.contains("{url_project}") }
            for (method, url) in Self.operations {
                let isThere = routes.contains { $0.method.rawValue == method && Self.serves($0.path, url) }
                #expect(isThere != Self.isMissing(method, url), "\(method) \(url)")
            }
        }
    }
}
