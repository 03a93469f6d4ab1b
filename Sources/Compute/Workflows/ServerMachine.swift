import CloudCore
import Durable
import HostModel

/// The machine of a server on one host, for the steps of the workflow that owns the server's changes.
struct ServerMachine: Sendable {
    let intent: Intent
    let host: String
    /// The epoch of the workflow's owner. The host refuses a lower one.
    let epoch: Int64
    let world: ServerWorld

    private var id: MachineID { intent.server.id }
    private var fence: Fence { intent.fence(epoch) }

    /// Makes the machine, or changes it into the wanted machine.
    ///
    /// - Parameter diskRevision: the generation of the rebuild that gives the root disk another content; nil to keep
    ///   its content.
    func ensure(diskRevision: Int64? = nil) async throws {
        let present = try await world.machines.wanted(id, on: host)
        try await world.machines.ensure(try await spec(present, diskRevision, on: host), on: host, fence: fence)
    }

    /// Returns the specification of the whole machine on a host, never a difference.
    private func spec(
        _ present: MachineSpec?, _ diskRevision: Int64? = nil, on host: String
    ) async throws -> MachineSpec {
        try await MachineBlueprint(
            intent: intent, present: present, diskRevision: diskRevision,
            image: { try await world.images.machineImage($0) },
            boot: { try await world.images.boot($0, of: intent.server.projectID) },
            connect: { try await world.volumes.connect($0.use(in: intent.server.projectID), on: host) },
            configDrives: world.configDrives
        ).spec()
    }

    /// Removes the machine from the host. Another host has the machine, so its volumes stay connected.
    func leave() async throws { try await world.machines.remove(id, on: host, fence: fence) }

    /// Removes the machine. No machine uses the server's volumes any more.
    func remove() async throws {
        try await leave()
        for volume in intent.volumes { try await disconnect(volume) }
    }

    /// Takes the right to use a volume from the machine, which no longer has the disk.
    func disconnect(_ volume: ServerVolume) async throws {
        try await world.volumes.disconnect(volume.use(in: intent.server.projectID), from: host)
    }

    func setPower(_ power: WantedPower) async throws {
        try await world.machines.setPower(power, of: id, on: host, fence: fence)
    }

    func reboot(_ kind: RebootKind) async throws { try await world.machines.reboot(id, kind, on: host, fence: fence) }

    func stop(graceSeconds: Int) async throws { try await setPower(.off(graceSeconds: graceSeconds)) }

    /// Stops the machine. If its host does not have the machine any more, it counts as stopped: a workflow that must
    /// succeed in the end must not fail here for ever.
    func stopIfThere(graceSeconds: Int) async throws {
        do {
            try await stop(graceSeconds: graceSeconds)
        } catch let error as CloudError where error.kind == .notFound {
            return
        }
    }

    /// Lets the guest run again on this host, for an undo.
    func goOn(_ power: WantedPower = .running) async throws {
        do {
            try await world.networking.awaitWiring(of: id, on: host)
            try await setPower(power)
        } catch let error as CloudError where !error.isTransient {
            // A guest that cannot run any more must not prevent the rest of the undo. The next sighting shows the
            // server as stopped.
            return
        }
    }

    /// Moves the machine to another host. Disks that either host has made for it stay as they are.
    func move(to other: String, isLive: Bool) async throws {
        var present = try await world.machines.wanted(id, on: host)
        if let there = try await world.machines.wanted(id, on: other) { present = there }
        try await world.machines.move(
            try await spec(present, on: other), from: host, to: other, isLive: isLive, fence: fence)
    }

    /// Copies the root disk on the host.
    ///
    /// - Parameter image: the id of the image that the copy is made for.
    func snapshot(for image: ID<Kind.Image>) async throws -> DiskSnapshot {
        try await world.machines.snapshot(id, for: image, on: host, fence: fence)
    }

    func removeSnapshot(for image: ID<Kind.Image>) async throws {
        try await world.machines.removeSnapshot(for: image, on: host)
    }
}
