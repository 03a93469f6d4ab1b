import CloudCore
import Drivers
import Foundation
package import HostModel

extension FileVolumes {
    package func listSnapshots() async throws -> [ObservedSnapshot] {
        try await blocking { [self] in
            snapshots.all.filter { !$0.value.isRemoving }.map { observed($0.value, $0.fence) }
        }
    }

    package func observe(_ id: SnapshotID) async throws -> ObservedSnapshot? {
        guard let snapshot = snapshots.value(id.text), !snapshot.isRemoving else { return nil }
        return try await blocking { [self] in observed(snapshot, snapshots.fence(id.text)) }
    }

    private func observed(_ snapshot: HostedSnapshot, _ fence: Fence) -> ObservedSnapshot {
        let used = folders[snapshot.pool].flatMap { VolumeFile.usedBytes($0.file(of: snapshot).path) }
        var progress = VolumeProgress.whole
        if let failure = snapshot.failure {
            progress = .failed(failure)
        } else if let ticket = snapshot.ticket {
            progress = .copying(percent: copies.percent(of: ticket))
        } else if !snapshot.isWhole {
            progress = .copying(percent: 0)
        } else if used == nil {
            progress = .failed(AgentProblem(.internalError("the file of the snapshot \(snapshot.id) is gone")))
        }
        let volume = ObservedVolume(snapshot.spec, progress: .whole, usedBytes: 0, fence: .none)
        return ObservedSnapshot(id: snapshot.id, volume: volume, progress: progress, usedBytes: used ?? 0, fence: fence)
    }

    @discardableResult
    package func snapshot(_ id: SnapshotID, of volume: VolumeID, fence: Fence) async throws -> ObservedSnapshot {
        guard id.isUUID else { throw CloudError.badRequest("A snapshot's id must be a UUID in lower case.") }
        return try await lanes.run(id.text) {
            try snapshots.admit(id.text, fence, makes: true)
            let ticket = world.random.hexID()
            if let snapshot = snapshots.value(id.text), !snapshot.isRemoving {
                if snapshot.failure != nil { try snapshots.update(id.text) { ($0.failure, $0.ticket) = (nil, ticket) } }
            } else {
                let spec = try whole(volume).spec
                var snapshot = HostedSnapshot(id: id, of: spec)
                snapshot.ticket = ticket
                try await record(snapshot, fence)
            }
            try await carryOn(id)
            guard let snapshot = try await observe(id) else { throw notFound(id) }
            return snapshot
        }
    }

    /// Records a snapshot before anything of it is made. The caller is in the snapshot's lane.
    func record(_ snapshot: HostedSnapshot, _ fence: Fence) async throws {
        let (folder, id) = (try folder(snapshot.pool), snapshot.id.text)
        if let former = snapshots.value(id) { try await removeFiles(former) }
        let pool = try await blocking { try folder.measure() }
        try folder.ledger.claim(id, snapshot.bytes, in: pool, isThin: true)
        do {
            try step("record")
            try snapshots.put(id, fence, snapshot)
        } catch {
            folder.ledger.forget(id)
            throw error
        }
    }

    /// Does the snapshot's work, or leaves a long copy to the background. The caller is in the snapshot's lane.
    func carryOn(_ id: SnapshotID) async throws {
        guard let snapshot = snapshots.value(id.text), snapshot.failure == nil else { return }
        if snapshot.isRemoving { return try await finishRemoval(id) }
        if let name = snapshot.releasing { return try await finishRelease(id, name) }
        if let name = snapshot.adopting { return try await finishAdoption(id, name) }
        guard let ticket = snapshot.ticket, !copies.isRunning(ticket) else { return }
        do {
            let target = try folder(snapshot.pool).file(of: snapshot)
            guard try isQuick(.volume(snapshot.volume), snapshot.spec) else { return queue.add(.snapshot(id)) }
            try await make(.volume(snapshot.volume), target, ticket)
            try await publish(target)
            try step("note")
            try snapshots.update(id.text) { $0.ticket = nil }
        } catch { try noteFailure(of: id, ticket, error) }
    }

    /// Makes the copy beside all calls.
    func run(_ id: SnapshotID) async {
        guard let snapshot = snapshots.value(id.text), snapshot.failure == nil, !snapshot.isRemoving,
            let ticket = snapshot.ticket, let target = folders[snapshot.pool]?.file(of: snapshot)
        else { return }
        await run(id.text, ticket, target) { try await make(.volume(snapshot.volume), target, ticket) } finish: {
            guard let now = snapshots.value(id.text), now.ticket == ticket, !now.isRemoving else { return false }
            try await publish(target)
            try step("note")
            try snapshots.update(id.text) { $0.ticket = nil }
            return true
        } fail: { try noteFailure(of: id, ticket, $0) }
    }

    private func noteFailure(of id: SnapshotID, _ ticket: String, _ error: any Error) throws {
        try step("note failure")
        if let snapshot = snapshots.value(id.text) { unlink(try folder(snapshot.pool).file(of: snapshot).draft) }
        let problem = error as? CloudError ?? .internalError("the volume could not be copied", cause: error)
        try snapshots.update(id.text) { if $0.ticket == ticket { $0.failure = AgentProblem(problem) } }
    }

    package func removeSnapshot(_ id: SnapshotID, fence: Fence) async throws {
        guard id.isUUID else { return }
        try await lanes.run(id.text) {
            try snapshots.admit(id.text, fence)
            guard let snapshot = snapshots.value(id.text) else { return try snapshots.remove(id.text, fence) }
            try await readers.changing(try folder(snapshot.pool).file(of: snapshot).path) {
                if let ticket = snapshot.ticket { copies.cancel(ticket) }
                try step("record removal")
                try snapshots.update(id.text) { $0.isRemoving = true }
                try await finishRemoval(id)
            }
        }
    }

    private func finishRemoval(_ id: SnapshotID) async throws {
        guard let snapshot = snapshots.value(id.text) else { return }
        try await removeFiles(snapshot)
        try step("forget")
        try snapshots.remove(id.text, snapshots.fence(id.text))
        folders[snapshot.pool]?.ledger.forget(id.text)
    }

    private func removeFiles(_ snapshot: HostedSnapshot) async throws {
        let target = try folder(snapshot.pool).file(of: snapshot)
        try step("remove")
        try await blocking { try VolumeFile.remove(target) }
    }
}
