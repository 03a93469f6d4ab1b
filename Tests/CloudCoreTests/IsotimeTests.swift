import CloudCore
import Foundation
import TestSupport
import Testing

@Suite struct IsotimeTests {
    /// Compares the golden: texts, each with the microseconds as which the reference's library reads it, or a dash if
    /// it refuses it.
    @Test("A time is accepted and read exactly as the reference's library does")
    func same() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/isotimes.txt")
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        #expect(lines.count > 200)
        for line in lines {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            #expect(Timestamp(isotime: parts[0])?.microseconds == Int64(parts[1]), "\(line)")
        }
    }

    @Test("A time that an API writes reads back as the same moment", arguments: [0, 1_000_000_000_000_001, 1_795_233_143_000_042] as [Int64])
    func written(microseconds: Int64) {
        let moment = Timestamp(microseconds: microseconds)
        #expect(Timestamp(isotime: moment.iso8601Microseconds) == moment)
        #expect(Timestamp(isotime: moment.iso8601MicrosecondsNoZone) == moment)
        #expect(Timestamp(isotime: moment.iso8601Seconds) == moment.wholeSeconds)
    }

    @Test("Digits outside ASCII and overlong texts are not times")
    func foreign() {
        #expect(Timestamp(isotime: "２０１１") == nil)
        #expect(Timestamp(isotime: "2011-01-24T17:08:01." + String(repeating: "1", count: 100_000)) != nil)
        #expect(Timestamp(isotime: String(repeating: "1", count: 100_000)) == nil)
        #expect(Timestamp(isotime: "2011-01-24T17:08:01+") == nil)
    }

    @Test("endOfSecond is the last microsecond of the second")
    func end() {
        #expect(Timestamp(microseconds: 5_000_000).endOfSecond == Timestamp(microseconds: 5_999_999))
        #expect(Timestamp(microseconds: 5_400_000).endOfSecond == Timestamp(microseconds: 5_999_999))
        #expect(Timestamp(microseconds: -1).endOfSecond == Timestamp(microseconds: -1))
    }
}
