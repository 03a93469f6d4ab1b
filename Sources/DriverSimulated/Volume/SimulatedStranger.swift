import CloudCore
import Drivers
import HostModel

/// A file in a pool of a simulated host that is nobody's.
struct SimulatedStranger: StoredValue {
    static let storedName = "simulated.stranger"

    var name: String
    var pool: String
    /// The size in bytes that a guest would see.
    var size: Int64
    var format: VolumeFormat
    var bytes: SimulatedBytes
    /// Whether the file has become a volume or a snapshot, and is not there any more.
    var isTaken = false

    /// The name without the format, which is a plain word.
    var key: String { String(name.prefix { $0 != "." }) }

    static let badName = CloudError.badRequest("No volume's file has this name.")
}

extension SimulatedPool {
    /// Puts a file into a pool.
    ///
    /// - Throws: `conflict` if another file has the name.
    func put(_ stranger: SimulatedStranger) throws {
        if let former = strangers.value(stranger.key) {
            guard former.isTaken else {
                throw CloudError(.conflict, "Another file has the name.", detail: stranger.name, code: "name_taken")
            }
            try strangers.update(stranger.key) { $0 = stranger }
        } else {
            try strangers.put(stranger.key, .none, stranger)
        }
    }

    /// Returns a file that is there.
    ///
    /// - Throws: `badRequest` for a name that no file can have.
    func stranger(_ name: String) throws(CloudError) -> SimulatedStranger? {
        guard ManageableVolume.format(of: name) != nil, PathPart.isPlain(String(name.prefix { $0 != "." })) else {
            throw SimulatedStranger.badName
        }
        let found = strangers.value(String(name.prefix { $0 != "." }))
        return found?.isTaken == false && found?.name == name ? found : nil
    }

    func take(_ stranger: SimulatedStranger) throws { try strangers.update(stranger.key) { $0.isTaken = true } }
}
