import CloudCore
import Drivers
import Foundation
import HostModel
import Synchronization

/// The volumes of a simulated host, in one pool or several.
final class SimulatedPool: Sendable {
    /// The name of the first pool of a simulated host.
    static let name = "volumes"

    let volumes: FencedRecords<SimulatedVolume>
    let snapshots: FencedRecords<SimulatedSnapshot>
    let exports: FencedRecords<ExportMark>
    /// The files that are nobody's, by their names without the format.
    let strangers: FencedRecords<SimulatedStranger>
    let lanes = SerialKeys<String>()
    let totalBytes: Int64
    /// The names of the pools.
    let names: [String]
    private let ledgers: [String: Ledgers]

    private struct Ledgers: Sendable {
        let all = PoolLedger()
        /// The bytes of thick volumes, which are taken from the beginning.
        let thick = PoolLedger()
    }

    init(folder: String?, settings: SimulationSettings, clock: any WallClock) throws {
        totalBytes = settings.poolBytes
        let names = (1...max(settings.pools, 1)).map { $0 == 1 ? Self.name : "\(Self.name)-\($0)" }
        self.names = names
        ledgers = Dictionary(uniqueKeysWithValues: names.map { ($0, Ledgers()) })
        volumes = try FencedRecords(folder: folder.map { "\($0)/volumes" }, clock: clock)
        snapshots = try FencedRecords(folder: folder.map { "\($0)/volume-snapshots" }, clock: clock)
        exports = try FencedRecords(folder: folder.map { "\($0)/volume-exports" }, clock: clock)
        strangers = try FencedRecords(folder: folder.map { "\($0)/volume-files" }, clock: clock)
        for record in volumes.all {
            note(record.value.spec)
            if let moved = record.value.moved { note(moved) }
        }
        for record in snapshots.all {
            ledgers[record.value.volume.pool]?.all.note(record.id, record.value.volume.bytes)
        }
    }

    /// The pools as they are.
    var states: [VolumePool] { names.map(state(of:)) }

    private func state(of name: String) -> VolumePool {
        let ledgers = ledgers[name]
        return VolumePool(
            name: name, totalBytes: totalBytes, freeBytes: max(0, totalBytes - (ledgers?.thick.sum ?? 0)),
            provisionedBytes: ledgers?.all.sum ?? 0, abilities: Set(VolumePool.Ability.allCases))
    }

    func require(_ name: String) throws(CloudError) {
        guard ledgers[name] != nil else { throw .notFound("pool", name) }
    }

    /// Promises a volume its size, if its pool has room.
    func claim(_ spec: VolumeSpec) throws(CloudError) {
        try claim(spec.id.text, spec.bytes, in: spec.pool, isThin: spec.isThin)
        note(spec)
    }

    /// Promises a size.
    func claim(_ id: String, _ bytes: Int64, in pool: String, isThin: Bool) throws(CloudError) {
        try require(pool)
        try ledgers[pool]?.all.claim(id, bytes, in: state(of: pool), isThin: isThin)
    }

    private func note(_ spec: VolumeSpec) {
        ledgers[spec.pool]?.all.note(spec.id.text, spec.bytes)
        if !spec.isThin { ledgers[spec.pool]?.thick.note(spec.id.text, spec.bytes) }
    }

    /// Takes a promise back in all pools but one.
    func forget(_ id: String, exceptIn pool: String? = nil) {
        for (name, ledgers) in ledgers where name != pool {
            ledgers.all.forget(id)
            ledgers.thick.forget(id)
        }
    }
}
