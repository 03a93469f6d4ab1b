import CloudCore
import Drivers
import Foundation
package import HostModel

extension FileVolumes: VolumeAdopting {
    package func manageable(in pool: String) async throws -> [ManageableVolume] {
        let folder = try folder(pool)
        return try await blocking {
            DurableFile.names(in: folder.stranger("")).sorted().compactMap { name -> ManageableVolume? in
                guard let format = Self.format(of: name) else { return nil }
                do throws(CloudError) { return try Self.inspect(name, format, folder) } catch {
                    return ManageableVolume(name: name, bytes: 0, format: format, refusal: error.message)
                }
            }
        }
    }

    /// Returns the format that a file's name states; nil for a name that no volume's file has.
    private static func format(of name: String) -> VolumeFormat? {
        let letters = name.utf8.allSatisfy { byte in
            let isLetter = (65...90).contains(byte) || (97...122).contains(byte)
            return isLetter || (48...57).contains(byte) || [45, 46, 95].contains(byte)
        }
        guard letters, (1...200).contains(name.utf8.count), name.first != "." else { return nil }
        switch (name as NSString).pathExtension {
        case "raw", "img": return .raw
        case "qcow2": return .qcow2
        default: return nil
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

    @discardableResult
    package func adopt(_ name: String, as wanted: VolumeSpec, fence: Fence) async throws -> ObservedVolume {
        var spec = wanted
        let folder = try folder(spec.pool)
        guard let format = Self.format(of: name) else { throw CloudError.badRequest("No volume's file has this name.") }
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
        let target = folder.file(of: volume)
        do {
            try step("take")
            try await blocking {
                guard access(target.path, F_OK) != 0 else { return }
                try VolumeFile.rename(folder.stranger(name), target.path)
            }
        } catch {
            try step("note failure")
            let problem = error as? CloudError ?? .internalError("the file could not be taken", cause: error)
            return try volumes.update(id.text) { $0.failure = AgentProblem(problem) }
        }
        try step("note")
        try volumes.update(id.text) { $0.work = nil }
    }

    package func release(_ id: VolumeID, fence: Fence) async throws -> String {
        try await lanes.run(id.text) {
            guard let volume = volumes.value(id.text) else { return try await released(id) }
            let name = "\(id).\(volume.spec.format.rawValue)"
            if volume.work != .release(name) {
                try whole(id).connections.requireNone(id)
                try volumes.admit(id.text, fence)
                try step("record")
                try volumes.update(id.text) { $0.work = .release(name) }
            }
            try await finishRelease(id, name)
            return name
        }
    }

    /// Returns the name of a volume that was released before.
    private func released(_ id: VolumeID) async throws -> String {
        guard id.isUUID else { throw notFound(id) }
        let names = VolumeFormat.allCases.map { "\(id).\($0.rawValue)" }
        let found = try await blocking { [self] in
            names.first { name in folders.values.contains { access($0.stranger(name), F_OK) == 0 } }
        }
        guard let found else { throw notFound(id) }
        return found
    }

    func finishRelease(_ id: VolumeID, _ name: String) async throws {
        guard let volume = volumes.value(id.text) else { return }
        let folder = try folder(volume.spec.pool)
        let path = folder.file(of: volume).path
        try await readers.changing(path) {
            try step("give")
            try await blocking {
                guard access(path, F_OK) == 0 else { return }
                try VolumeFile.rename(path, folder.stranger(name))
            }
            try step("forget")
            try volumes.remove(id.text, volumes.fence(id.text))
            folder.ledger.forget(id.text)
        }
    }
}
