import CloudCore
import Drivers
import Foundation
package import HostModel
import Synchronization

extension FileVolumes {
    package func export(
        _ source: VolumeSource, as export: String, format: VolumeFormat, fence: Fence
    ) async throws -> VolumeExport {
        guard PathPart.isUUID(export) else {
            throw CloudError.badRequest("An export's id must be a UUID in lower case.")
        }
        return try await lanes.run(export) {
            try marks.admit(export, fence, makes: true)
            if let copy = try await finished(export, format) { return VolumeExport(progress: .whole, copy: copy) }
            if let running = exports.withLock({ $0[export] }) {
                guard let failure = running.failure else {
                    return VolumeExport(progress: .copying(percent: copies.percent(of: running.ticket)))
                }
                // It is told once; after that the copy begins again.
                exports.withLock { $0[export] = nil }
                return VolumeExport(progress: .failed(failure))
            }
            let (pool, bytes) = try place(of: source)
            // The note is there before the copy, so that a removal is remembered whatever comes between.
            if marks.value(export) == nil { try marks.put(export, fence, ExportMark(source: source)) }
            let form = TargetFile.Form(bytes: bytes, format: format)
            let copy = HostedExport(source: source, pool: pool, form: form, ticket: world.random.hexID())
            if try isQuick(source, copy) {
                let target = try folder(pool).export(export, copy.ticket, form)
                try await make(source.content, target, copy.ticket)
                try await publish(target)
                return VolumeExport(progress: .whole, copy: try await finished(export, format))
            }
            exports.withLock { $0[export] = copy }
            queue.add(.export(export))
            return VolumeExport(progress: .copying(percent: 0))
        }
    }

    package func removeExport(_ export: String, fence: Fence) async throws {
        guard PathPart.isUUID(export) else { return }
        try await lanes.run(export) {
            try marks.admit(export, fence)
            if let running = exports.withLock({ $0.removeValue(forKey: export) }) { copies.cancel(running.ticket) }
            try await blocking { [self] in
                for folder in folders.values {
                    for format in VolumeFormat.allCases {
                        try DurableFile.remove(folder.export(export, nil, .init(bytes: 0, format: format)).path)
                    }
                }
            }
            try marks.remove(export, fence)
        }
    }

    /// Makes the copy beside all calls.
    func runExport(_ id: String) async {
        guard let export = exports.withLock({ $0[id] }), export.failure == nil,
            let target = folders[export.pool]?.export(id, export.ticket, export.form)
        else { return }
        await run(id, export.ticket, target) { try await make(export.source.content, target, export.ticket) } finish: {
            guard exports.withLock({ $0[id]?.ticket == export.ticket }) else { return false }
            try await publish(target)
            exports.withLock { $0[id] = nil }
            return true
        } fail: { error in
            let problem = error as? CloudError ?? .internalError("the volume could not be copied", cause: error)
            exports.withLock { $0[id]?.failure = AgentProblem(problem) }
        }
    }

    /// Returns the copy if it is whole.
    private func finished(_ export: String, _ format: VolumeFormat) async throws -> DiskSnapshot? {
        try await blocking { [self] in
            for folder in folders.values {
                let path = folder.export(export, nil, .init(bytes: 0, format: format)).path
                var status = stat()
                guard stat(path, &status) == 0 else { continue }
                return DiskSnapshot(
                    path: path, format: format.rawValue, virtualBytes: try VolumeFile.virtualBytes(path, format),
                    sizeBytes: Int64(status.st_size))
            }
            return nil
        }
    }

    private func place(of source: VolumeSource) throws(CloudError) -> (pool: String, bytes: Int64) {
        switch source {
        case .volume(let id):
            let spec = try whole(id).spec
            return (spec.pool, spec.bytes)
        case .snapshot(let id):
            let snapshot = try whole(id)
            return (snapshot.pool, snapshot.bytes)
        }
    }

    private func isQuick(_ source: VolumeSource, _ copy: HostedExport) throws -> Bool {
        let id = VolumeID(copy.ticket)
        return try isQuick(
            source.content, VolumeSpec(id: id, pool: copy.pool, bytes: copy.form.bytes, format: copy.form.format))
    }
}

extension VolumeSource {
    var content: VolumeContent {
        switch self {
        case .volume(let id): .volume(id)
        case .snapshot(let id): .snapshot(id)
        }
    }
}
