import CloudCore
import Drivers
import HostModel
import Logging
import Synchronization

extension Agent {
    /// Changes a volume or a snapshot. The driver keeps what is wanted, and goes on with it after a restart.
    package func carryOut(_ request: VolumeRequest) async throws -> VolumeReply {
        let (volumes, fence) = (try requireVolumes(), request.fence)
        switch request.verb {
        case .ensure(let spec, let content): return .volume(try await volumes.ensure(spec, from: content, fence: fence))
        case .grow(let id, let bytes): return .volume(try await volumes.grow(id, to: bytes, fence: fence))
        case .remove(let id):
            try await volumes.remove(id, fence: fence)
            return .gone
        case .revert(let id, let snapshot):
            let able = try able(volumes, (any VolumeReverting).self, "give volumes their former bytes")
            return .volume(try await able.revert(id, to: snapshot, fence: fence))
        case .snapshot(let id, let volume): return .snapshot(try await volumes.snapshot(id, of: volume, fence: fence))
        case .removeSnapshot(let id):
            try await volumes.removeSnapshot(id, fence: fence)
            return .gone
        case .adopt, .release, .adoptSnapshot, .releaseSnapshot: return try await adopt(request, volumes)
        case .move(let id, let pool, let isThin):
            let able = try able(volumes, (any VolumeMoving).self, "move volumes between its pools")
            return .volume(try await able.move(id, to: pool, isThin: isThin, fence: fence))
        case .export(let source, let id, let format):
            return .export(try await volumes.export(source, as: id, format: format, fence: fence))
        case .forgetExport(let id):
            try await volumes.removeExport(id, fence: fence)
            return .done
        }
    }

    /// Makes volumes and snapshots of files, and files of them.
    private func adopt(_ request: VolumeRequest, _ volumes: any VolumeDriver) async throws -> VolumeReply {
        let fence = request.fence
        let able = try able(volumes, (any VolumeAdopting).self, "take files as volumes")
        switch request.verb {
        case .adopt(let name, let spec): return .volume(try await able.adopt(name, as: spec, fence: fence))
        case .release(let id, let name): return .released(try await able.release(id, as: name, fence: fence))
        case .adoptSnapshot(let name, let id, let volume):
            return .snapshot(try await able.adopt(name, as: id, of: volume, fence: fence))
        case .releaseSnapshot(let id, let name):
            return .released(try await able.release(id, as: name, fence: fence))
        default: throw CloudError.internalError("a change that is none of files: \(request.verb)")
        }
    }

    package func answer(_ question: VolumeQuestion) async throws -> VolumeReply {
        let volumes = try requireVolumes()
        switch question {
        case .pools: return .pools(try await volumes.pools())
        case .volumes: return .volumes(try await volumes.list())
        case .volume(let id): return try await volumes.observe(id).map { .volume($0) } ?? .gone
        case .snapshots: return .snapshots(try await volumes.listSnapshots())
        case .snapshot(let id): return try await volumes.observe(id).map { .snapshot($0) } ?? .gone
        case .manageable(let pool):
            let able = try able(volumes, (any VolumeAdopting).self, "take files as volumes")
            return .manageable(try await able.manageable(in: pool))
        case .connect(let id, let connection):
            guard connection.machine.isUUID else { throw Self.noMachine }
            return try await lanes.run(connection.machine) { .connected(try await volumes.connect(id, connection)) }
        case .disconnect(let id, let machine, let epoch):
            guard machine.isUUID else { throw Self.noMachine }
            return try await lanes.run(machine) {
                try requireNoDisk(id, machine)
                try await volumes.disconnect(id, from: machine, epoch: epoch)
                return .done
            }
        }
    }

    /// Throws if the host lets a machine use a volume without a connection. The caller is in the machine's lane.
    ///
    /// - Throws: `conflict` (`volume_not_connected`).
    func requireConnections(_ spec: MachineSpec) async throws {
        for disk in spec.disks { try await requireConnection(disk, spec.id) }
    }

    func requireConnection(_ disk: Disk, _ machine: MachineID) async throws {
        guard !disk.isLocal, let volume = try await volumes?.observe(VolumeID(disk.id)) else { return }
        guard let connection = volume.connections.first(where: { $0.machine == machine }) else {
            throw CloudError(
                .conflict, "The volume is not connected to the machine.", detail: "\(disk.id) to \(machine)",
                code: "volume_not_connected")
        }
        guard disk.isReadOnly || !connection.isReadOnly else {
            throw CloudError(.conflict, "The machine may only read the volume.", detail: "\(disk.id) to \(machine)")
        }
    }

    /// Warns the operator of pools that become too full, once for each time.
    func warn(of pools: [VolumePool]) {
        let full = Set(pools.filter(\.isAboveSoftLimit).map(\.name))
        let news = fullPools.withLock { known in
            defer { known = full }
            return full.subtracting(known)
        }
        for pool in pools where news.contains(pool.name) {
            log.warning(
                "a pool of volumes is nearly full",
                metadata: [
                    "host": "\(host)", "pool": "\(pool.name)", "used_percent": "\(pool.usedPercent)",
                    "refuses_from_percent": "\(pool.bounds.hardPercent)",
                ])
        }
    }

    /// Throws if the machine still has the disk, so that no second writer is let in.
    private func requireNoDisk(_ volume: VolumeID, _ machine: MachineID) throws {
        guard desired.value(machine.text)?.spec.disks.contains(where: { $0.id == volume.text }) == true else { return }
        throw CloudError(
            .conflict, "The machine still has the volume.", detail: "\(volume) of \(machine)", code: "volume_in_use")
    }

    private static let noMachine = CloudError.badRequest("A machine's id must be a UUID in lower case.")

    private func requireVolumes() throws(CloudError) -> any VolumeDriver {
        guard let volumes else {
            throw CloudError(
                .notImplemented, "The host cannot have volumes.", detail: "\(host): no volume driver",
                code: "no_volumes")
        }
        return volumes
    }

    private func able<Ability>(
        _ volumes: any VolumeDriver, _ type: Ability.Type, _ what: String
    ) throws(CloudError) -> Ability {
        guard let able = volumes as? Ability else {
            throw CloudError(.notImplemented, "The host cannot \(what).", detail: volumes.kind, code: "not_supported")
        }
        return able
    }
}
