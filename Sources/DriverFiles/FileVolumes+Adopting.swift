import CloudCore
import Drivers
import Foundation
package import HostModel

extension FileVolumes: VolumeAdopting {
    package func manageable(in pool: String) async throws -> [ManageableVolume] {
        let folder = try folder(pool)
        return try await blocking {
            let names = DurableFile.names(in: folder.stranger("")).sorted()
            let named = names.lazy.compactMap { name in ManageableVolume.format(of: name).map { (name, $0) } }
            return named.prefix(ManageableVolume.most).map { name, format -> ManageableVolume in
                do throws(CloudError) { return try Self.inspect(name, format, folder) } catch {
                    return ManageableVolume(name: name, bytes: 0, format: format, refusal: error.message)
                }
            } as [ManageableVolume]
        }
    }

    /// Looks at a file before any other program opens it.
    private static func inspect(
        _ name: String, _ format: VolumeFormat, _ folder: PoolFolder
    ) throws(CloudError) -> ManageableVolume {
        let path = folder.stranger(name)
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .notFound("file", name) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_nlink == 1 else {
            throw .badRequest("It is no plain file.")
        }
        if format == .qcow2, try QCOW2Header(of: path).dependsOnOthers {
            throw .badRequest("It needs another file, or a key.")
        }
        let bytes = try VolumeFile.virtualBytes(path, format)
        try VolumeSpec.check(bytes: bytes)
        return ManageableVolume(name: name, bytes: bytes, format: format)
    }

    private static func format(of name: String) throws(CloudError) -> VolumeFormat {
        guard let format = ManageableVolume.format(of: name) else {
            throw .badRequest("No volume's file has this name.")
        }
        return format
    }

    @discardableResult
    package func adopt(_ name: String, as wanted: VolumeSpec, fence: Fence) async throws -> ObservedVolume {
        var spec = wanted
        let folder = try folder(spec.pool)
        let format = try Self.format(of: name)
        return try await lanes.run(spec.id.text) {
            try volumes.admit(spec.id.text, fence, makes: true)
            if let volume = volumes.value(spec.id.text), volume.work != .remove {
                if volume.failure != nil { try volumes.update(spec.id.text) { $0.failure = nil } }
            } else {
                let file = try await blocking { try Self.inspect(name, format, folder) }
                (spec.bytes, spec.format) = (file.bytes, format)
                try spec.check()
                try await record(spec, .adopt(name), fence)
            }
            try await carryOn(spec.id)
            return try await current(spec.id)
        }
    }

    /// Takes the file. The caller is in the volume's lane.
    func finishAdoption(_ id: VolumeID, _ name: String) async throws {
        guard let volume = volumes.value(id.text) else { return }
        let folder = try folder(volume.spec.pool)
        try await take(name, folder, as: folder.file(of: volume)) { problem in
            try volumes.update(id.text) { volume in
                if let problem { volume.failure = problem } else { volume.work = nil }
            }
        }
    }

    /// Gives a file of a pool the name of the thing that it becomes.
    ///
    /// - Parameter note: records the end: nil, or the reason why the file could not be taken.
    private func take(
        _ name: String, _ folder: PoolFolder, as target: TargetFile, note: (AgentProblem?) throws -> Void
    ) async throws {
        do {
            try step("take")
            try await blocking {
                guard access(target.path, F_OK) != 0 else { return }
                try VolumeFile.rename(folder.stranger(name), target.path)
            }
        } catch {
            try step("note failure")
            let problem = error as? CloudError ?? .internalError("the file could not be taken", cause: error)
            return try note(AgentProblem(problem))
        }
        try step("note")
        try note(nil)
    }

    package func release(_ id: VolumeID, as wanted: String?, fence: Fence) async throws -> String {
        guard id.isUUID else { throw notFound(id) }
        if let wanted { _ = try Self.format(of: wanted) }
        return try await lanes.run(id.text) {
            guard let volume = volumes.value(id.text) else {
                try volumes.remove(id.text, fence)
                let names = VolumeFormat.allCases.map { ManageableVolume.name(of: id, $0) }
                return try await released(wanted.map { [$0] } ?? names, notFound(id))
            }
            guard volume.work != .remove else { throw notFound(id) }
            let name = wanted ?? ManageableVolume.name(of: id, volume.spec.format)
            if volume.work != .release(name) {
                try volume.connections.requireNone(id)
                try volumes.admit(id.text, fence)
                try await settle(id)
                if let ticket = volume.ticket { copies.cancel(ticket) }
                try step("record")
                try volumes.update(id.text) { ($0.work, $0.failure) = (.release(name), nil) }
            }
            try await finishRelease(id, name)
            return name
        }
    }

    /// Returns the name of something that was released before.
    ///
    /// - Parameters:
    ///   - names: the names that it may have.
    ///   - missing: the error if there is no such file.
    private func released(_ names: [String], _ missing: CloudError) async throws -> String {
        let found = try await blocking { [self] in
            names.first { name in folders.values.contains { access($0.stranger(name), F_OK) == 0 } }
        }
        guard let found else { throw missing }
        return found
    }

    func finishRelease(_ id: VolumeID, _ name: String) async throws {
        guard let volume = volumes.value(id.text) else { return }
        let folder = try folder(volume.spec.pool)
        try await give(folder.file(of: volume).path, folder.stranger(name))
        try step("forget")
        try volumes.remove(id.text, volumes.fence(id.text))
        folder.ledger.forget(id.text)
    }

    /// Gives a file away. Has no effect if there is none.
    private func give(_ path: String, _ new: String) async throws {
        try await readers.changing(path) {
            try step("give")
            try await blocking { try VolumeFile.give(path, new) }
        }
    }

    // MARK: - Snapshots

    @discardableResult
    package func adopt(
        _ name: String, as id: SnapshotID, of volume: VolumeID, fence: Fence
    ) async throws -> ObservedSnapshot {
        guard id.isUUID else { throw CloudError.badRequest("A snapshot's id must be a UUID in lower case.") }
        let format = try Self.format(of: name)
        return try await lanes.run(id.text) {
            try snapshots.admit(id.text, fence, makes: true)
            if let snapshot = snapshots.value(id.text), !snapshot.isRemoving {
                if snapshot.failure != nil { try snapshots.update(id.text) { $0.failure = nil } }
            } else {
                let spec = try whole(volume).spec
                let folder = try folder(spec.pool)
                let file = try await blocking { try Self.inspect(name, format, folder) }
                guard file.bytes <= spec.bytes else {
                    throw CloudError.badRequest("The file is larger than the volume.")
                }
                var snapshot = HostedSnapshot(id: id, of: spec)
                (snapshot.bytes, snapshot.format, snapshot.adopting) = (file.bytes, format, name)
                try await record(snapshot, fence)
            }
            try await carryOn(id)
            guard let snapshot = try await observe(id) else { throw notFound(id) }
            return snapshot
        }
    }

    /// Takes the file. The caller is in the snapshot's lane.
    func finishAdoption(_ id: SnapshotID, _ name: String) async throws {
        guard let snapshot = snapshots.value(id.text) else { return }
        let folder = try folder(snapshot.pool)
        try await take(name, folder, as: folder.file(of: snapshot)) { problem in
            try snapshots.update(id.text) { snapshot in
                if let problem { snapshot.failure = problem } else { snapshot.adopting = nil }
            }
        }
    }

    package func release(_ id: SnapshotID, as wanted: String?, fence: Fence) async throws -> String {
        guard id.isUUID else { throw notFound(id) }
        if let wanted { _ = try Self.format(of: wanted) }
        return try await lanes.run(id.text) {
            guard let snapshot = snapshots.value(id.text) else {
                try snapshots.remove(id.text, fence)
                let names = VolumeFormat.allCases.map { ManageableVolume.name(of: id, $0) }
                return try await released(wanted.map { [$0] } ?? names, notFound(id))
            }
            guard !snapshot.isRemoving else { throw notFound(id) }
            let name = wanted ?? ManageableVolume.name(of: id, snapshot.format)
            if snapshot.releasing != name {
                try snapshots.admit(id.text, fence)
                if let ticket = snapshot.ticket { copies.cancel(ticket) }
                try step("record")
                try snapshots.update(id.text) { snapshot in
                    (snapshot.ticket, snapshot.adopting, snapshot.failure) = (nil, nil, nil)
                    snapshot.releasing = name
                }
            }
            try await finishRelease(id, name)
            return name
        }
    }

    func finishRelease(_ id: SnapshotID, _ name: String) async throws {
        guard let snapshot = snapshots.value(id.text) else { return }
        let folder = try folder(snapshot.pool)
        try await give(folder.file(of: snapshot).path, folder.stranger(name))
        try step("forget")
        try snapshots.remove(id.text, snapshots.fence(id.text))
        folder.ledger.forget(id.text)
    }
}
