import CloudCore
import Drivers
package import HostModel

/// The bytes of simulated volumes, as a guest would write and read them.
extension SimulatedHost {
    /// Returns the path that a machine is given. There is no file at it.
    func path(of spec: VolumeSpec) -> VolumePath {
        .file(path: "/simulated/\(name)/\(spec.id).\(spec.format.rawValue)", isQCOW2: spec.format == .qcow2)
    }

    /// Puts a file into a pool that could become a volume.
    ///
    /// - Parameters:
    ///   - name: a plain word with the format behind it, such as `brought.raw`.
    ///   - bytes: the piece at the beginning of the file.
    ///   - size: the size of the file in bytes.
    package func bring(_ name: String, _ bytes: [UInt8], size: Int64, to pool: String = "volumes") throws {
        var content = SimulatedBytes()
        content.write(bytes, at: 0)
        guard let format = ManageableVolume.format(of: name) else { throw SimulatedStranger.badName }
        try self.pool.put(SimulatedStranger(name: name, pool: pool, size: size, format: format, bytes: content))
    }

    /// Writes a piece to a volume.
    package func write(_ bytes: [UInt8], at offset: Int64, to id: VolumeID) throws {
        try pool.volumes.update(id.text) { $0.bytes.write(bytes, at: offset) }
    }

    /// Returns a piece that was written at the offset; zeros if there is none.
    package func read(_ count: Int, at offset: Int64, from id: VolumeID) throws -> [UInt8] {
        guard let volume = pool.volumes.value(id.text) else { throw CloudError.notFound("volume", id.text) }
        return volume.bytes.read(count, at: offset)
    }
}
