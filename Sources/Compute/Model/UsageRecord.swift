import CloudCore

/// How long a server was there, and how large it was.
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

    /// How much of a time it was there.
    func hours(from start: Timestamp, to end: Timestamp) -> Double {
        let first = max(launchedAt, start)
        let last = min(endedAt ?? end, end)
        return max(0, (last - first).inSeconds / 3600)
    }

    /// - Parameter now: until when it counts that is still there.
    func uptimeSeconds(_ now: Timestamp) -> Int { Int(((endedAt ?? now) - launchedAt).inSeconds) }
}
