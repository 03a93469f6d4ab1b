import CloudCore
import Durable

/// The machine of a server on one host, as the owner of a workflow gives orders to it.
struct ServerMachine: Sendable {
    let intent: Intent
    let host: String
    /// The epoch of the workflow's owner. The host refuses a lower one.
    let epoch: Int64
    let world: ServerWorld

    private var id: String { intent.server.id.text }
    private var fence: MachineFence { intent.fence(epoch) }

    /// Makes the machine, or changes it into what is wanted.
    ///
    /// - Parameter order: nil for the intent's own.
    func ensure(_ order: MachineOrder? = nil) async throws {
        try await world.machines.ensure(order ?? intent.order(), on: host, fence: fence)
    }

    func remove() async throws { try await world.machines.remove(id, on: host, fence: fence) }

    func command(_ command: MachineCommand) async throws {
        try await world.machines.command(id, command, on: host, fence: fence)
    }

    func stop(graceSeconds: Int) async throws { try await command(.stop(graceSeconds: graceSeconds)) }

    /// Stops the machine. A machine that its host does not have any more is as good as stopped: what must succeed in the end
    /// must not fail at it for ever.
    func stopIfThere(graceSeconds: Int) async throws {
        do {
            try await stop(graceSeconds: graceSeconds)
        } catch let error as CloudError where error.kind == .notFound {
            return
        }
    }

    /// Lets the guest do again what it did on this host, for an undo.
    func goOn(_ command: MachineCommand = .start) async throws {
        do {
            try await world.networking.awaitWiring(of: id, on: host)
            try await self.command(command)
        } catch let error as CloudError where !error.isTransient {
            // A guest that cannot run any more must not keep the rest from being undone. The server is shown stopped once its host
            // is asked.
            return
        }
    }

    func move(to other: String, isLive: Bool) async throws {
        try await world.machines.move(intent.order(), from: host, to: other, isLive: isLive, fence: fence)
    }

    /// - Parameter image: the id of the image that the copy of the root disk is made for, which is also the copy's.
    func snapshot(for image: String) async throws -> MachineSnapshot {
        try await world.machines.snapshot(id, as: image, on: host, fence: fence)
    }

    func removeSnapshot(for image: String) async throws { try await world.machines.removeSnapshot(image, on: host) }
}
