package import CloudCore
package import HostModel

/// The connections of one volume: the machines that may use it, and the attachments that have ended, so that a late
/// message cannot let a machine in again.
package struct VolumeConnections: Hashable, Sendable, Codable {
    package private(set) var open: [VolumeConnection] = []
    /// The epoch of the newest ended connection, by machine.
    private var ended: [MachineID: Int64] = [:]
    /// The newest epoch of the machines that were forgotten.
    private var forgotten: Int64 = 0

    /// The most machines whose ended connections are remembered one by one.
    private static let mostEnded = 64

    package init() {}

    /// Adds a connection. Has no effect if it is there; a newer one of the same machine takes its place.
    ///
    /// - Throws: `conflict` with `Fence.staleCode` or `VolumeConnection.connectedCode`.
    package mutating func connect(_ connection: VolumeConnection, to volume: VolumeID) throws(CloudError) {
        let machine = connection.machine
        let old = open.first { $0.machine == machine }
        guard connection.epoch >= old?.epoch ?? 0, connection.epoch > ended[machine] ?? forgotten else {
            throw stale(volume, machine, connection.epoch)
        }
        if let other = open.first(where: { $0.machine != machine && !($0.isShared && connection.isShared) }) {
            throw CloudError(
                .conflict, "The volume is used by another machine.", detail: "\(volume) by \(other.machine)",
                code: VolumeConnection.connectedCode)
        }
        open.removeAll { $0.machine == machine }
        open.append(connection)
    }

    /// Ends the connection of a machine. Has no effect if it has none.
    ///
    /// - Throws: `conflict` with `Fence.staleCode` if the machine has a newer one.
    package mutating func disconnect(
        _ machine: MachineID, from volume: VolumeID, epoch: Int64
    ) throws(CloudError) {
        if let old = open.first(where: { $0.machine == machine }), old.epoch > epoch {
            throw stale(volume, machine, epoch)
        }
        open.removeAll { $0.machine == machine }
        ended[machine] = max(epoch, ended[machine] ?? 0)
        while ended.count > Self.mostEnded, let oldest = ended.min(by: { $0.value < $1.value }) {
            forgotten = max(forgotten, oldest.value)
            ended[oldest.key] = nil
        }
    }

    /// Throws if machines may use the volume.
    ///
    /// - Throws: `conflict` with `VolumeConnection.connectedCode`.
    package func requireNone(_ volume: VolumeID) throws(CloudError) {
        guard let one = open.first else { return }
        throw CloudError(
            .conflict, "The volume is used by a machine.", detail: "\(volume) by \(one.machine)",
            code: VolumeConnection.connectedCode)
    }

    private func stale(_ volume: VolumeID, _ machine: MachineID, _ epoch: Int64) -> CloudError {
        CloudError(
            .conflict, "The change was overtaken by a newer one.", detail: "\(volume) of \(machine): epoch \(epoch)",
            code: Fence.staleCode)
    }
}
