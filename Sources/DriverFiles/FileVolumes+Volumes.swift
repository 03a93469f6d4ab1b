import CloudCore
import Drivers
import Foundation
package import HostModel
import ImageFormats

extension FileVolumes {
    @discardableResult
    package func ensure(_ spec: VolumeSpec, from content: VolumeContent, fence: Fence) async throws -> ObservedVolume {
        try spec.check()
        _ = try folder(spec.pool)
        return try await lanes.run(spec.id.text) {
            try volumes.admit(spec.id.text, fence, makes: true)
            if let volume = volumes.value(spec.id.text), volume.work != .remove {
                if volume.failure != nil { try renew(spec.id) }
            } else {
                try await record(spec, .fill(content, ticket: world.random.hexID()), fence)
            }
            try await carryOn(spec.id)
            return try await current(spec.id)
        }
    }

    /// Records a volume before anything of it is made. The caller is in the volume's lane.
    func record(_ spec: VolumeSpec, _ work: HostedVolume.Work, _ fence: Fence) async throws {
        let folder = try folder(spec.pool)
        if let former = volumes.value(spec.id.text) {
            // Its removal was interrupted.
            try await removeFiles(former)
        }
        if case .fill(let content, _) = work { try require(content, for: spec) }
        let pool = try await blocking { try folder.measure() }
        try folder.ledger.claim(spec.id.text, spec.bytes, in: pool, isThin: spec.isThin)
        do {
            try step("record")
            try volumes.put(spec.id.text, fence, HostedVolume(spec: spec, work: work))
        } catch {
            folder.ledger.forget(spec.id.text)
            throw error
        }
    }

    /// Throws if the volume cannot begin with the content. The size of an image is not known yet.
    private func require(_ content: VolumeContent, for spec: VolumeSpec) throws(CloudError) {
        switch content {
        case .nothing: break
        case .image(let image):
            guard [.raw, .qcow2, .iso, .ami].contains(image.format) else {
                throw .badRequest("A volume cannot be made from an image of the format \(image.format.rawValue).")
            }
        case .volume(let id): try Self.require(whole(id).spec.bytes, in: spec.bytes)
        case .snapshot(let id): try Self.require(whole(id).bytes, in: spec.bytes)
        case .backup(let backup): try Self.require(backup.bytes, in: spec.bytes)
        }
    }

    static func require(_ bytes: Int64, in most: Int64) throws(CloudError) {
        guard bytes <= most else {
            throw .badRequest("The content needs a volume of \(bytes) bytes, and the volume has \(most).")
        }
    }

    /// Lets work that has failed begin again.
    private func renew(_ id: VolumeID) throws {
        let ticket = world.random.hexID()
        try volumes.update(id.text) { volume in
            volume.failure = nil
            if case .fill(let content, _) = volume.work { volume.work = .fill(content, ticket: ticket) }
        }
    }

    /// Does the volume's work, or leaves a long copy to the background. The caller is in the volume's lane.
    func carryOn(_ id: VolumeID) async throws {
        guard let volume = volumes.value(id.text), volume.failure == nil, let work = volume.work else { return }
        switch work {
        case .fill(let content, let ticket):
            guard !copies.isRunning(ticket) else { return }
            do {
                guard try isQuick(content, volume.spec) else { return queue.add(.volume(id)) }
                let target = try folder(volume.spec.pool).file(of: volume)
                try await make(content, target, ticket)
                try await publish(target)
                try step("note")
                try volumes.update(id.text) { $0.work = nil }
            } catch { try noteFailure(of: id, ticket, error) }
        case .adopt(let name): try await finishAdoption(id, name)
        case .release(let name): try await finishRelease(id, name)
        case .remove: try await finishRemoval(id)
        case .move(_, _, let ticket): if !copies.isRunning(ticket) { queue.add(.volume(id)) }
        case .leave(let pool): try await finishLeaving(id, pool)
        }
    }

    /// Notes why a copy has failed, for those who ask. The caller is in the volume's lane.
    func noteFailure(of id: VolumeID, _ ticket: String, _ error: any Error) throws {
        try step("note failure")
        if let volume = volumes.value(id.text) { unlink(try folder(volume.spec.pool).file(of: volume).draft) }
        let problem = error as? CloudError ?? .internalError("the volume could not be filled", cause: error)
        try volumes.update(id.text) { if $0.ticket == ticket { $0.failure = AgentProblem(problem) } }
    }

    // MARK: - Changes

    @discardableResult
    package func grow(_ id: VolumeID, to bytes: Int64, fence: Fence) async throws -> ObservedVolume {
        try VolumeSpec.check(bytes: bytes)
        return try await lanes.run(id.text) {
            var volume = try whole(id)
            try volumes.admit(id.text, fence)
            if bytes > volume.spec.bytes {
                let (folder, former) = (try folder(volume.spec.pool), volume.spec.bytes)
                let pool = try await blocking { try folder.measure() }
                try folder.ledger.claim(id.text, bytes, in: pool, isThin: volume.spec.isThin)
                volume.spec.bytes = bytes
                do { try await grow(volume, folder.file(of: volume)) } catch {
                    folder.ledger.note(id.text, former)
                    throw error
                }
            }
            return try await current(id)
        }
    }

    private func grow(_ volume: HostedVolume, _ target: TargetFile) async throws {
        try await readers.changing(target.path) {
            var isOpen = false
            try step("grow")
            for connection in volume.connections.open {
                let id = volume.spec.id.text
                let isGrown = try await machines?.growDisk(id, of: connection.machine, to: target.bytes)
                if isGrown == true { isOpen = true }
            }
            let isInUse = isOpen
            try await blocking {
                if !isInUse { try VolumeFile.grow(target.path, target) } else if target.format == .raw {
                    try VolumeFile.growRaw(target.path, target)
                }
            }
            try step("note")
            try volumes.update(volume.spec.id.text) { $0.spec = volume.spec }
        }
    }

    package func remove(_ id: VolumeID, fence: Fence) async throws {
        guard id.isUUID else { return }
        try await lanes.run(id.text) {
            try volumes.admit(id.text, fence)
            guard let volume = volumes.value(id.text) else { return try volumes.remove(id.text, fence) }
            try volume.connections.requireNone(id)
            try await settle(id)
            let target = try folder(volume.spec.pool).file(of: volume)
            try await readers.changing(target.path) {
                if let ticket = volume.ticket { copies.cancel(ticket) }
                try step("record removal")
                try volumes.update(id.text) { $0.work = .remove }
                try await finishRemoval(id)
            }
        }
    }

    private func finishRemoval(_ id: VolumeID) async throws {
        guard let volume = volumes.value(id.text) else { return }
        try await removeFiles(volume)
        try step("forget")
        try volumes.remove(id.text, volumes.fence(id.text))
        folders[volume.spec.pool]?.ledger.forget(id.text)
    }

    private func removeFiles(_ volume: HostedVolume) async throws {
        let target = try folder(volume.spec.pool).file(of: volume)
        try step("remove")
        try await blocking { try VolumeFile.remove(target) }
    }
}

extension FileVolumes: VolumeReverting {
    @discardableResult
    package func revert(_ id: VolumeID, to snapshot: SnapshotID, fence: Fence) async throws -> ObservedVolume {
        try await lanes.run(id.text) {
            let work = HostedVolume.Work.fill(.snapshot(snapshot), ticket: world.random.hexID())
            guard let volume = volumes.value(id.text), volume.work != .remove else { throw notFound(id) }
            if case .fill(.snapshot(snapshot), _) = volume.work, volume.failure == nil {
                // It was interrupted.
                try volumes.admit(id.text, fence)
            } else {
                try volume.connections.requireNone(id)
                if volume.failure == nil || volume.moved != nil { _ = try whole(id) }
                try Self.require(whole(snapshot).bytes, in: volume.spec.bytes)
                try volumes.admit(id.text, fence)
                try await settle(id)
                try step("record")
                try volumes.update(id.text) { ($0.work, $0.failure) = (work, nil) }
            }
            try await carryOn(id)
            return try await current(id)
        }
    }
}
