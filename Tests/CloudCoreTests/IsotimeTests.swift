import CloudCore
import Foundation
import TestSupport
import Testing

@Suite struct IsotimeTests {
    /// Texts, each with the microseconds that the reference's library reads it as; a dash where it reads none.
    @Test("What the reference's library reads as a moment is read as the same, and nothing else is")
    func same() throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Goldens/isotimes.txt")
        let lines = try String(contentsOf: url, encoding: .utf8).split(separator: "\n")
        #expect(lines.count > 200)
        for line in lines {
            let parts = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            #expect(Timestamp(isotime: parts[0])?.microseconds == Int64(parts[1]), "\(line)")
        }
    }

    @Test("What an API writes is read as the same moment", arguments: [0, 1_000_000_000_000_001, 1_795_233_143_000_042] as [Int64])
    func written(microseconds: Int64) {
        let moment = Timestamp(microseconds: microseconds)
        #expect(Timestamp(isotime: moment.iso8601Microseconds) == moment)
        #expect(Timestamp(isotime: moment.iso8601MicrosecondsNoZone) == moment)
        #expect(Timestamp(isotime: moment.iso8601Seconds) == moment.wholeSeconds)
    }

    @Test("Other digits than ASCII's and long texts are no moments")
    func foreign() {
        #expect(Timestamp(isotime: "２０１１") == nil)
        #expect(Timestamp(isotime: "2011-01-24T17:08:01." + String(repeating: "1", count: 100_000)) != nil)
        #expect(Timestamp(isotime: String(repeating: "1", count: 100_000)) == nil)
        #expect(Timestamp(isotime: "2011-01-24T17:08:01+") == nil)
    }

    @Test("A moment reaches to the end of its second")
    func end() {
        #expect(Timestamp(microseconds: 5_000_000).endOfSecond == Timestamp(microseconds: 5_999_999))
        #expect(Timestamp(microseconds: 5_400_000).endOfSecond == Timestamp(microseconds: 5_999_999))
        #expect(Timestamp(microseconds: -1).endOfSecond == Timestamp(microseconds: -1))
    }
}
