import CloudCore
import Durable
import HostModel

/// The bytes of a volume that a workflow wants, as the row was when the workflow noted it.
struct Wanted: StoredValue {
    static let storedName = "volume.wanted"

    var spec: VolumeSpec
    var host: String
    /// The number of the change that is wanted.
    var generation: Int64

    /// - Throws: an internal error for a volume without a place.
    init(_ volume: Volume, type: VolumeType?) throws {
        host = try volume.host.required("host", from: "place")
        spec = VolumeSpec(
            id: volume.id, pool: try volume.pool.required("pool", from: "place"), bytes: Int64(volume.size) << 30,
            isThin: type?.extraSpecs["provisioning:type"]?.string != "thick", metadata: Self.faults(volume.metadata))
        generation = volume.generation
    }

    /// The members of metadata by which a simulated host is told what to do wrong; other hosts do not look at them.
    private static func faults(_ metadata: JSONObject) -> [String: String] {
        Dictionary(
            metadata.members.compactMap { name, value in
                name.hasPrefix("simulate") ? value.string.map { (name, $0) } : nil
            }
        ) { first, _ in first }
    }
}
