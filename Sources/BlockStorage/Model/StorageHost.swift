import CloudCore

/// The decisions of operators about a host with pools.
struct StorageHost: Sendable {
    var name: String
    /// Whether no new volume is placed on the host.
    var isDisabled = false
    var disabledReason: String?
    /// Whether nothing on the host may be made or deleted.
    var isFrozen = false
    var updatedAt: Timestamp?
}
