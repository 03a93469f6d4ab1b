import CloudCore
import Testing

@testable import Compute

@Suite("Records of usage")
struct UsageRecordTests {
    /// Returns a record of a server that was launched and ended at given hours.
    private func record(_ launched: Int64, _ ended: Int64?) -> UsageRecord {
        UsageRecord(
            serverID: "s", name: "s", projectID: "p", flavorName: "f", memoryMiB: 512, diskGiB: 1, vcpus: 1,
            state: "active",
            launchedAt: hour(launched), endedAt: ended.map(hour))
    }

    private func hour(_ number: Int64) -> Timestamp { Timestamp(seconds: number * 3600) }

    @Test("A server counts for the hours that it had within the period")
    func hours() {
        for (launched, ended, expected) in [
            (0, 100, 10), (12, 15, 3), (5, 12, 2), (18, nil, 2), (0, nil, 10), (20, 30, 0), (0, 10, 0), (25, nil, 0),
        ] as [(Int64, Int64?, Double)] {
            #expect(
                record(launched, ended).hours(from: hour(10), to: hour(20)) == expected, "\(launched)-\(ended ?? -1)")
        }
    }

    @Test("The uptime of a server ends with the server, or now")
    func uptime() {
        #expect(record(1, 3).uptimeSeconds(hour(9)) == 7200)
        #expect(record(1, nil).uptimeSeconds(hour(9)) == 28_800)
    }
}
