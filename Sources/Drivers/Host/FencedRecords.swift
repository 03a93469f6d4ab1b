package import CloudCore
package import HostModel
import Synchronization

/// What a host remembers of its machines: for each the newest change, and a value unless it was removed. With a folder it outlives
/// the process and a power cut; without one it is memory.
///
/// A removed machine leaves its fence behind for `tombstoneAge`: a change that was late must not make it again.
package final class FencedRecords<Value: StoredValue>: Sendable {
    private typealias Record = FencedRecord<Value>

    /// Far longer than any message can be late.
    package static var tombstoneAge: Duration { .seconds(7 * 86_400) }

    private let folder: String?
    private let clock: any WallClock
    /// Held while a file is written, which keeps files and memory in one order. Nobody waits in it for anything but the disk.
    private let records: Mutex<[String: Record]>

    /// - Parameter folder: made if it is not there; nil: nothing is kept.
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

    /// Takes a change: from here on every older one is refused, also if this one fails.
    ///
    /// - Parameter makes: whether the change makes what is not there; a removal that is asked for again does not.
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

    /// Changes the value without being a change from outside: what the host itself has learnt.
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
        // What is wanted of a machine after its removal is a newer wish than the removal.
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
    /// Nil after a removal.
    var value: Value?
    var removedAt: Timestamp?
    /// The generation of the removal, which every wish to make it again must be newer than.
    var removedIn: Int64?
}
