import CloudCore
import Foundation
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A caller of Compute.
struct ComputeClient: VersionedClient {
    static let path = "/compute/v2.1"
    static let version = "compute 2."
    let cloud: TestCloud
    let token: String
    var minor = 104

    init(cloud: TestCloud, token: String) { (self.cloud, self.token) = (cloud, token) }

    @discardableResult
    func flavor(_ id: String, ram: Int64 = 512, vcpus: Int64 = 1, disk: Int64 = 1, isPublic: Bool = true) async -> JSON {
        await good(
            .post, "/flavors",
            [
                "flavor": [
                    "id": .string(id), "name": .string("flavor \(id)"), "ram": .integer(ram), "vcpus": .integer(vcpus), "disk": .integer(disk),
                    "os-flavor-access:is_public": .bool(isPublic),
                ]
            ])
    }
}
