import CloudCore
import Drivers
import Foundation
package import HostModel

extension FileVolumes: VolumeMoving {
    @discardableResult
    package func move(
        _ id: VolumeID, to pool: String, isThin: Bool, fence: Fence
    ) async throws -> ObservedVolume {
        let target = try folder(pool)
        return try await lanes.run(id.text) {
            guard let volume = volumes.value(id.text), volume.work != .remove else { throw notFound(id) }
            let isRepeated = volume.moved?.spec.pool == pool && volume.failure == nil
            if isRepeated {
                try volumes.admit(id.text, fence)
            } else {
                if volume.moved == nil { _ = try whole(id) }
                try volume.connections.requireNone(id)
                try volumes.admit(id.text, fence)
                try await settle(id)
                if volume.spec.pool != pool { try await recordMove(volume, to: target, isThin: isThin) }
            }
            try await carryOn(id)
            return try await current(id)
        }
    }

    private func recordMove(_ volume: HostedVolume, to target: PoolFolder, isThin: Bool) async throws {
        let id = volume.spec.id.text
        let pool = try await blocking { try target.measure() }
        try target.ledger.claim(id, volume.spec.bytes, in: pool, isThin: isThin)
        let work = HostedVolume.Work.move(to: target.name, isThin: isThin, ticket: world.random.hexID())
        do {
            try step("record")
            try volumes.update(id) { $0.work = work }
        } catch {
            target.ledger.forget(id)
            throw error
        }
    }

    /// Makes the copy beside all calls.
    func runMove(_ id: VolumeID) async {
        guard let volume = volumes.value(id.text), volume.failure == nil, let moved = volume.moved,
            let ticket = volume.ticket, let target = folders[moved.spec.pool]?.file(of: moved)
        else { return }
        await run(id.text, ticket, target) { try await makeMoved(volume, target, ticket) } finish: {
            guard volumes.value(id.text)?.ticket == ticket else { return false }
            try await publish(target)
            try step("note")
            try volumes.update(id.text) { ($0.spec, $0.work) = (moved.spec, .leave(volume.spec.pool)) }
            // The volume is whole. A copy that still reads the former file keeps it until the next change.
            try? await finishLeaving(id, volume.spec.pool)
            return true
        } fail: { try noteFailure(of: id, ticket, $0) }
    }

    /// Removes the file of the pool in which the volume was. The caller is in the volume's lane.
    func finishLeaving(_ id: VolumeID, _ pool: String) async throws {
        guard let volume = volumes.value(id.text) else { return }
        let folder = try folder(pool)
        let form = TargetFile.Form(bytes: volume.spec.bytes, format: volume.spec.format)
        let former = folder.volume(id, form)
        try await readers.changing(former.path) {
            try step("leave")
            try await blocking { try VolumeFile.remove(former) }
        }
        try step("note")
        try volumes.update(id.text) { $0.work = nil }
        folder.ledger.forget(id.text)
    }

    /// Ends a move that is not done, and removes the file that a move has left. The caller is in the volume's lane.
    func settle(_ id: VolumeID) async throws {
        guard let volume = volumes.value(id.text) else { return }
        if case .leave(let pool) = volume.work { return try await finishLeaving(id, pool) }
        guard let moved = volume.moved else { return }
        if let ticket = volume.ticket { copies.cancel(ticket) }
        let target = try folder(moved.spec.pool).file(of: moved)
        try step("end the move")
        try await blocking { try VolumeFile.remove(target) }
        try volumes.update(id.text) { ($0.work, $0.failure) = (nil, nil) }
        folders[moved.spec.pool]?.ledger.forget(id.text)
    }
}
