/// A copy that QEMU makes of a disk while the guest writes.
struct LiveCopy: Sendable {
    var path: String
    var format: String
    /// Is told the percentage.
    var progress: @Sendable (Int) -> Void = { _ in }
}
