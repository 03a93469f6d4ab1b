import Synchronization

/// The folders of blobs whose names are known to be durable, so that not every upload syncs the folder above.
final class KnownShards: Sendable {
    private let names = Mutex<Set<String>>([])

    func has(_ name: String) -> Bool { names.withLock { $0.contains(name) } }
    func note(_ name: String) { names.withLock { _ = $0.insert(name) } }
}
