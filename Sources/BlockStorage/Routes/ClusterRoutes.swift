import CloudCore
import HTTPKit
import HTTPTypes

/// The routes of clusters and of what services of clusters leave behind. Each host keeps its own pools, so there is no
/// cluster; and each workflow goes on by itself, so nothing waits to be cleaned up.
struct ClusterRoutes: RouteGroup {
    let maker: RouteMaker<VolumeCall>
    let hosts: StorageHostService

    private static let since = 7
    private static let cleanupSince = 24
    private static let replicationSince = 26

    var all: [Route] {
        [
            maker.route(.get, "/clusters", .listClusters, since: Self.since) { call in try list(call) },
            maker.route(.get, "/clusters/detail", .listClusters, since: Self.since) { call in try list(call) },
            maker.route(.get, "/clusters/{cluster_name}", .getCluster, since: Self.since) { call in
                throw Self.missing(call.parameter("cluster_name"))
            },
            maker.route(.put, "/clusters/enable", .updateCluster, since: Self.since) { call in
                throw Self.missing(try await call.read(Self.enabled))
            },
            maker.route(.put, "/clusters/disable", .updateCluster, since: Self.since) { call in
                throw Self.missing(try await call.read(Self.disabled).name)
            },
            maker.route(.post, "/workers/cleanup", .cleanWorkers, since: Self.cleanupSince) { call in
                try await clean(call)
            },
        ]
    }

    private static func missing(_ name: String) -> CloudError {
        .notFound("Cluster \(name.prefix(255)) could not be found.")
    }

    // MARK: Clusters

    private struct Named: Sendable { var name = "" }
    private static let word = Form<String?>.nullable(.string(0...255))
    private static let disabled = Form.object(
        Named(),
        [
            .required("name", \.name, .string(1...255)), .ignored("binary", word.shape),
            .ignored("disabled_reason", word.shape),
        ])
    private static let enabled = Form.object(
        Named(), [.required("name", \.name, .string(1...255)), .ignored("binary", word.shape)]
    ).mapped { $0.name }

    private static let filters: Set<String> = [
        "name", "binary", "is_up", "disabled", "num_hosts", "num_down_hosts",
    ]
    private static let replicationFilters: Set<String> = ["replication_status", "frozen", "active_backend_id"]

    private func list(_ call: VolumeCall) throws -> Reply {
        let known = Self.filters.union(call.minor >= Self.replicationSince ? Self.replicationFilters : [])
        let wrong = call.call.query.items.map(\.name).filter { !known.contains($0) }
        guard wrong.isEmpty else {
            throw VolumeRefusal.input("Invalid filter keys: \(wrong.joined(separator: ", ").prefix(255))")
        }
        for name in ["disabled", "is_up"] { _ = try call.truth(name) }
        return .json { json in json.array("clusters", of: [] as [String]) { $0.string($1) } }
    }

    // MARK: Cleaning up

    private struct Cleanup: Sendable {
        var cluster: String?
        var host: String?
        var binary: String?
        var service: JSON?
        var isUp: Bool?
        var isDisabled: Bool?
        var type: String?
        var id: String?
    }

    private static let cleanup = Form.object(
        Cleanup(),
        [
            .optional("cluster_name", \.cluster, .nullable(.string(1...255, .place))),
            .optional("host", \.host, .nullable(.string(1...255, .place))), .optional("is_up", \.isUp, .truth),
            .optional("disabled", \.isDisabled, .truth),
            .optional("binary", \.binary, .oneOf(["cinder-volume", "cinder-scheduler"])),
            .optional("resource_id", \.id, .uuidOrNull),
            .optional("resource_type", \.type, .nullable(.string(0...40))),
            .optional("service_id", \.service, .json(.nullable(.whole(0...Shape.largestInteger)))),
        ])

    /// The kinds of things that the reference cleans up.
    private static let kinds = ["Backup", "Snapshot", "Volume"]

    private func clean(_ call: VolumeCall) async throws -> Reply {
        let wish = try await call.read(Self.cleanup)
        if let type = wish.type, !type.isEmpty {
            let kind = type.prefix(1).uppercased() + type.dropFirst().lowercased()
            guard Self.kinds.contains(kind) else {
                throw VolumeRefusal.input(
                    "Resource type \(kind) not valid, must be \(VolumeRefusal.either(Self.kinds))")
            }
        }
        if let id = wish.id, wish.service == nil, wish.cluster == nil, wish.host == nil {
            throw VolumeRefusal.input("There is no resource with UUID \(id) pending cleanup.")
        }
        // Services have no numbers, and there are no clusters.
        let isAny = wish.cluster == nil && (wish.service?.isNull ?? true)
        let found = try await isAny ? hosts.services() : []
        let asked = found.filter { service in
            service.isUp == (wish.isUp ?? false)
                && (wish.host ?? service.host) == service.host && (wish.binary ?? service.binary) == service.binary
                && (wish.isDisabled ?? service.isDisabled) == service.isDisabled
        }
        return .json(.accepted) { json in
            json.array("cleaning", of: asked.filter(\.isUp)) { json, one in json.object { Self.write(one, &$0) } }
            json.array("unavailable", of: asked.filter { !$0.isUp }) { json, one in
                json.object { Self.write(one, &$0) }
            }
        }
    }

    private static func write(_ service: StorageHostService.Entry, _ json: inout JSONWriter) {
        json.member("id", ServiceID.of(service.host))
        json.member("host", service.host)
        json.member("binary", service.binary)
        json.member("cluster_name", nil as String?)
    }
}
