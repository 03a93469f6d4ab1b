package import CloudCore

/// A snapshot of a volume that is to be taken for a server's user.
package struct NewSnapshot: Sendable, Hashable {
    package var id: ID<Kind.Snapshot>
    package var volume: ID<Kind.Volume>
    package var name: String

    package init(id: ID<Kind.Snapshot>, volume: ID<Kind.Volume>, name: String) {
        self.id = id
        self.volume = volume
        self.name = name
    }
}
