import CloudCore

/// The time for which a server existed, and its size.
struct UsageRecord: Sendable {
    var serverID: String
    var name: String
    var projectID: String
    var flavorName: String
    var memoryMiB: Int
    var diskGiB: Int
    var vcpus: Int
    var state: String
    var launchedAt: Timestamp
    var endedAt: Timestamp?

    /// Returns for how many hours of the period the server existed.
    func hours(from start: Timestamp, to end: Timestamp) -> Double {
        let first = max(launchedAt, start)
        let last = min(endedAt ?? end, end)
        return max(0, (last - first).inSeconds / 3600)
    }

    /// Returns the age of the server in seconds, to its end or to `now`.
    func uptimeSeconds(_ now: Timestamp) -> Int { Int(((endedAt ?? now) - launchedAt).inSeconds) }
}
