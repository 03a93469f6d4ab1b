package import CloudCore

/// The age of a change. A change that was overtaken is refused, so that a late message cannot undo what came after it.
///
/// For one machine both numbers only rise. `generation` counts the versions of what is wanted of the machine. `epoch`
/// counts the owners of its workflows, as `Run.epoch` of Durable does.
package struct Fence: Hashable, Sendable, Codable {
    package var epoch: Int64
    package var generation: Int64

    package init(epoch: Int64, generation: Int64) {
        self.epoch = epoch
        self.generation = generation
    }

    /// A fence older than that of every change.
    package static let none = Fence(epoch: 0, generation: 0)

    /// Returns whether either number is lower. A new owner who knows less than the last one is refused as well.
    package func isOlder(than other: Fence) -> Bool { epoch < other.epoch || generation < other.generation }

    /// The code of the error that refuses an older change.
    package static let staleCode = "stale_change"

    /// Throws if this fence is older than the newest that was seen.
    ///
    /// - Throws: `conflict` with `staleCode`.
    package func require(notOlderThan seen: Fence, _ subject: String) throws(CloudError) {
        guard isOlder(than: seen) else { return }
        throw CloudError(
            .conflict, "The change was overtaken by a newer one.",
            detail: "\(subject): epoch \(epoch), generation \(generation) after epoch \(seen.epoch), generation \(seen.generation)",
            code: Self.staleCode)
    }
}
