package import CloudCore
package import HostModel
import Synchronization

/// The memory of a host about its machines: for each the fence of the newest change, and a value unless it was removed.
/// With a folder it survives the end of the process and a power cut; without one it is kept only in memory.
///
/// A removed machine leaves its fence behind for `tombstoneAge`, so that a late change cannot make the machine again.
package final class FencedRecords<Value: StoredValue>: Sendable {
    private typealias Record = FencedRecord<Value>

    /// The time for which the fence of a removed machine is kept: far longer than any message can be late.
    package static var tombstoneAge: Duration { .seconds(7 * 86_400) }

    private let folder: String?
    private let clock: any WallClock
    /// The records. The lock is held while a file is written, so that files and memory change in one order. Nothing but
    /// the disk is waited for inside.
    private let records: Mutex<[String: Record]>

    /// Reads the records of the folder, and removes those of machines that were removed long ago.
    ///
    /// - Parameter folder: the folder for the files, made if it is missing; nil to keep records only in memory.
    package init(folder: String?, clock: any WallClock) throws {
        self.folder = folder
        self.clock = clock
        var found: [String: Record] = [:]
        if let folder {
            try DurableFile.makeFolder(folder)
            for name in DurableFile.names(in: folder) where name.hasSuffix(".json") {
                guard let data = try DurableFile.read("\(folder)/\(name)") else { continue }
                let record: Record
                do { record = try StoredJSON.value(from: data) } catch {
                    throw CloudError.internalError("cannot understand \(folder)/\(name)", cause: error)
                }
                let id = String(name.dropLast(5))
                if let removedAt = record.removedAt, removedAt + Self.tombstoneAge < clock.now {
                    try DurableFile.remove("\(folder)/\(name)")
                } else {
                    found[id] = record
                }
            }
        }
        records = Mutex(found)
    }

    /// Takes a change. From now on every older one is refused, even if this one fails.
    ///
    /// - Parameter makes: whether the change makes a machine that does not exist; a repeated removal does not.
    /// - Throws: `conflict` with `Fence.staleCode`.
    package func admit(_ id: String, _ fence: Fence, makes: Bool = false) throws {
        try records.withLock { records in
            guard let record = records[id] else { return }
            if makes { try check(id, fence, record) } else { try fence.require(notOlderThan: record.fence, id) }
            guard record.fence != fence else { return }
            var changed = record
            changed.fence = fence
            try store(id, changed, &records)
        }
    }

    /// Takes a change that makes the value if there is none.
    package func put(_ id: String, _ fence: Fence, _ value: Value) throws {
        try records.withLock { records in
            if let record = records[id] { try check(id, fence, record) }
            try store(id, Record(fence: fence, value: value), &records)
        }
    }

    /// Updates the value with something that the host itself has learnt. The fence stays.
    package func update(_ id: String, _ change: (inout Value) -> Void) throws {
        try records.withLock { records in
            guard var record = records[id], var value = record.value else { return }
            change(&value)
            record.value = value
            try store(id, record, &records)
        }
    }

    package func remove(_ id: String, _ fence: Fence) throws {
        try records.withLock { records in
            if let record = records[id] { try fence.require(notOlderThan: record.fence, id) }
            try store(id, Record(fence: fence, value: nil, removedAt: clock.now, removedIn: fence.generation), &records)
        }
    }

    package func value(_ id: String) -> Value? { records.withLock { $0[id]?.value } }
    package func fence(_ id: String) -> Fence { records.withLock { $0[id]?.fence ?? .none } }
    package var all: [(id: String, fence: Fence, value: Value)] {
        records.withLock { records in
            records.compactMap { id, record in record.value.map { (id, record.fence, $0) } }.sorted { $0.id < $1.id }
        }
    }

    private func check(_ id: String, _ fence: Fence, _ record: Record) throws(CloudError) {
        try fence.require(notOlderThan: record.fence, id)
        // A wish for a machine that was removed must be newer than the removal.
        if let removedIn = record.removedIn, fence.generation <= removedIn {
            throw CloudError(
                .conflict, "The change was overtaken by a newer one.", detail: "\(id) was removed in generation \(removedIn)",
                code: Fence.staleCode)
        }
    }

    private func store(_ id: String, _ record: Record, _ records: inout sending [String: Record]) throws {
        if let folder {
            guard PathPart.isPlain(id) else { throw CloudError.internalError("no name for a file: \(id)") }
            try DurableFile.write(StoredJSON.data(record), to: "\(folder)/\(id).json")
        }
        records[id] = record
    }
}

/// The file of one machine.
package struct FencedRecord<Value: StoredValue>: StoredValue {
    package static var storedName: String { "\(Value.storedName)-record" }

    var fence: Fence
    /// The value; nil after a removal.
    var value: Value?
    var removedAt: Timestamp?
    /// The generation of the removal. A wish to make the machine again must be newer.
    var removedIn: Int64?
}
