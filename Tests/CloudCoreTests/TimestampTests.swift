import CloudCore
import TestSupport
import Testing

@Suite struct TimestampTests {
    @Test(
        "Known moments are written and read as ISO 8601",
        arguments: [
            (0, "1970-01-01T00:00:00.000000Z"), (-1, "1969-12-31T23:59:59.999999Z"), (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"),
            (1_000_000_000_000_001, "2001-09-09T01:46:40.000001Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
            (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"), (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
        ] as [(Int64, String)])
    func known(microseconds: Int64, text: String) {
        let moment = Timestamp(microseconds: microseconds)
        #expect(moment.iso8601Microseconds == text)
        #expect(Timestamp(iso8601: text) == moment)
    }

    @Test("A moment has three ISO 8601 forms: microseconds, seconds, and microseconds without a zone")
    func forms() {
        let moment = Timestamp(microseconds: 1_795_233_143_000_042)
        #expect(moment.iso8601Microseconds == "2026-11-21T03:52:23.000042Z")
        #expect(moment.iso8601Seconds == "2026-11-21T03:52:23Z")
        #expect(moment.iso8601MicrosecondsNoZone == "2026-11-21T03:52:23.000042")
    }

    @Test(
        "Different spellings of one moment are read as the same",
        arguments: [
            "2026-11-21T03:52:23Z", "2026-11-21 03:52:23Z", "2026-11-21T03:52:23", "2026-11-21T03:52:23.0", "2026-11-21T03:52:23.0000009Z",
            "2026-11-21T05:52:23+02:00", "2026-11-21T05:52:23+0200", "2026-11-20T22:22:23-05:30", "2026-11-21T03:52:23-00:00",
        ])
    func same(text: String) {
        #expect(Timestamp(iso8601: text) == Timestamp(seconds: 1_795_233_143))
    }

    @Test(
        "Text that is not an ISO 8601 moment is refused",
        arguments: [
            "", "2026", "2026-11-21", "2026-11-21T", "2026-11-21T03:52", "2026-13-01T00:00:00", "2026-00-01T00:00:00",
            "2026-02-29T00:00:00", "2100-02-29T00:00:00", "2026-11-31T00:00:00", "2026-11-00T00:00:00", "2026-11-21T24:00:00",
            "2026-11-21T23:60:00", "2026-11-21T23:59:61", "2026-11-21T03:52:23.", "2026-11-21T03:52:23.Z", "2026-11-21T03:52:23x",
            "2026-11-21T03:52:23ZZ", "2026-11-21T03:52:23+2", "2026-11-21T03:52:23+02:0", "2026-11-21T03:52:23+24:00",
            "2026-11-21T03:52:23+00:60", "26-11-21T03:52:23", "2026/11/21T03:52:23", "+2026-11-21T03:52:23", " 2026-11-21T03:52:23",
            "2026-1１-21T03:52:23", "9999-12-31T23:59:59-00:01", "0000-01-01T00:00:00+00:01",
        ])
    func invalid(text: String) {
        #expect(Timestamp(iso8601: text) == nil)
    }

    @Test("A moment that is written reads back as the same moment")
    func roundTrip() {
        var chance = SplitMix64(seed: 1)
        for _ in 0..<10_000 {
            let moment = Timestamp(microseconds: .random(in: -62_135_596_800_000_000...253_402_300_799_999_999, using: &chance))
            #expect(Timestamp(iso8601: moment.iso8601Microseconds) == moment)
            #expect(Timestamp(iso8601: moment.iso8601Seconds) == moment.wholeSeconds)
        }
    }

    @Test("Durations can be added to moments and subtracted from them")
    func arithmetic() {
        let moment = Timestamp(seconds: 100)
        #expect(moment + .milliseconds(1500) == Timestamp(microseconds: 101_500_000))
        #expect(moment - .seconds(200) == Timestamp(seconds: -100))
        #expect(Timestamp(microseconds: -1).seconds == -1)
        #expect(Timestamp(microseconds: -1).wholeSeconds == Timestamp(seconds: -1))
        #expect(moment - Timestamp(seconds: 40) == .seconds(60))
        #expect(Duration.milliseconds(250).inSeconds == 0.25)
    }
}
