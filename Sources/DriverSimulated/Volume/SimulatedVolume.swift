import CloudCore
import Drivers
import Foundation
import HostModel

/// A volume of a simulated host.
///
///     (made) → copying → whole
///                 ↓
///              failed
struct SimulatedVolume: StoredValue {
    static let storedName = "simulated.volume"

    var spec: VolumeSpec
    var content: VolumeContent
    var progress: VolumeProgress
    var bytes: SimulatedBytes
    var connections = VolumeConnections()
    /// Whether the reply to the first creation was lost already.
    var hasLostReply = false

    init(spec: VolumeSpec, content: VolumeContent, bytes: SimulatedBytes) {
        self.spec = spec
        self.content = content
        self.bytes = bytes
        progress = content == .nothing ? .whole : .copying(percent: 0)
    }

    var usedBytes: Int64 { spec.isThin ? bytes.count : spec.bytes }

    /// The progress of a copy between two looks, in percent.
    static let step = 20

    /// Goes on with the copy. A simulated host has no work of its own, so a slow copy goes on when somebody looks.
    mutating func advance() {
        guard case .copying(let percent) = progress else { return }
        if spec.faults.contains(.copyFails) {
            let error = CloudError(
                .unavailable, "The volume could not be filled.", detail: "simulated: copy-fails", code: "copy_failed")
            progress = .failed(AgentProblem(error))
        } else {
            let next = spec.faults.contains(.slow) ? percent + Self.step : 100
            progress = next < 100 ? .copying(percent: next) : .whole
        }
    }
}

/// A snapshot of a simulated host.
struct SimulatedSnapshot: StoredValue {
    static let storedName = "simulated.snapshot"

    var id: SnapshotID
    /// The volume as it was.
    var volume: VolumeSpec
    var bytes: SimulatedBytes
}

/// The bytes that were written to a simulated volume: a few pieces, and zeros around them.
struct SimulatedBytes: Hashable, Sendable, Codable {
    /// The pieces by their offsets.
    private var pieces: [String: Data] = [:]

    init() {}

    var count: Int64 { pieces.values.reduce(0) { $0 + Int64($1.count) } }

    mutating func write(_ bytes: [UInt8], at offset: Int64) { pieces["\(offset)"] = Data(bytes) }

    /// Returns the bytes of a piece. Bytes that were not written as a piece of this offset are zeros.
    func read(_ count: Int, at offset: Int64) -> [UInt8] {
        let found = Array((pieces["\(offset)"] ?? Data()).prefix(count))
        return found + [UInt8](repeating: 0, count: count - found.count)
    }

    var all: [(offset: Int64, bytes: Data)] {
        pieces.compactMap { key, bytes in Int64(key).map { ($0, bytes) } }.sorted { $0.offset < $1.offset }
    }
}
