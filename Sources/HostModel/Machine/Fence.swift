package import CloudCore

/// How new a change is. Whoever was overtaken is refused: a message that was late must not undo what came after it.
///
/// Both numbers only ever rise for one machine. `generation` counts the versions of what is wanted of it; `epoch` counts those who
/// were in charge of it, as `Run.epoch` of Durable does.
package struct Fence: Hashable, Sendable, Codable {
    package var epoch: Int64
    package var generation: Int64

    package init(epoch: Int64, generation: Int64) {
        self.epoch = epoch
        self.generation = generation
    }

    /// Before every change.
    package static let none = Fence(epoch: 0, generation: 0)

    /// Whether either number is behind: a new owner who knows less than the last one is refused as well.
    package func isOlder(than other: Fence) -> Bool { epoch < other.epoch || generation < other.generation }

    /// The code of the error that refuses an older change.
    package static let staleCode = "stale_change"

    /// - Throws: `conflict` with `staleCode` when this is older than what was `seen`.
    package func require(notOlderThan seen: Fence, _ subject: String) throws(CloudError) {
        guard isOlder(than: seen) else { return }
        throw CloudError(
            .conflict, "The change was overtaken by a newer one.",
            detail: "\(subject): epoch \(epoch), generation \(generation) after epoch \(seen.epoch), generation \(seen.generation)",
            code: Self.staleCode)
    }
}
