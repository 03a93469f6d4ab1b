import CloudCore
import Drivers
import Foundation
import HostModel
import Synchronization

/// The volumes of a simulated host.
final class SimulatedPool: Sendable {
    /// The name of the one pool of a simulated host.
    static let name = "volumes"

    let volumes: FencedRecords<SimulatedVolume>
    let snapshots: FencedRecords<SimulatedSnapshot>
    let exports: FencedRecords<ExportMark>
    let ledger = PoolLedger()
    let lanes = SerialKeys<String>()
    let totalBytes: Int64
    /// The bytes of thick volumes, which are taken from the beginning.
    private let thick = PoolLedger()

    init(folder: String?, totalBytes: Int64, clock: any WallClock) throws {
        self.totalBytes = totalBytes
        volumes = try FencedRecords(folder: folder.map { "\($0)/volumes" }, clock: clock)
        snapshots = try FencedRecords(folder: folder.map { "\($0)/volume-snapshots" }, clock: clock)
        exports = try FencedRecords(folder: folder.map { "\($0)/volume-exports" }, clock: clock)
        for record in volumes.all { note(record.value.spec) }
        for record in snapshots.all { ledger.note(record.id, record.value.volume.bytes) }
    }

    /// The pool as it is.
    var state: VolumePool {
        var abilities = Set(VolumePool.Ability.allCases)
        abilities.remove(.manage)
        return VolumePool(
            name: Self.name, totalBytes: totalBytes, freeBytes: max(0, totalBytes - thick.sum),
            provisionedBytes: ledger.sum, abilities: abilities)
    }

    func note(_ spec: VolumeSpec) {
        ledger.note(spec.id.text, spec.bytes)
        if !spec.isThin { thick.note(spec.id.text, spec.bytes) }
    }

    func forget(_ id: String) {
        ledger.forget(id)
        thick.forget(id)
    }
}
