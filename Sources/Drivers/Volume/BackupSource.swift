import CloudCore
package import HostModel
package import NIOCore

/// The source of the contents of backups for a host. It passes on the pieces of a content in the order of their
/// offsets; the bytes between them are zeros. A piece is verified before it is passed on.
package struct BackupSource: Sendable {
    package typealias Sink = @Sendable (_ offset: Int64, _ bytes: ByteBuffer) async throws -> Void
    package let read: @Sendable (BackupReference, Sink) async throws -> Void

    package init(_ read: @escaping @Sendable (BackupReference, Sink) async throws -> Void) { self.read = read }

    /// A source without contents.
    package static let none = BackupSource { reference, _ in throw CloudError.notFound("backup", reference.backup) }
}
