import CloudCore
import Testing

@Suite("Recent counts")
struct RecentCountsTests {
    private let begin = Timestamp(microseconds: 0)

    @Test("A count begins anew when its window ends, and says how long that takes")
    func window() {
        let counts = RecentCounts(window: .seconds(60), capacity: 10)
        for second in 0..<3 { counts.add("a", at: begin + .seconds(second * 10)) }
        let seen = counts.count(of: "a", at: begin + .seconds(25))
        #expect(seen.events == 3)
        #expect(seen.left == .seconds(35))
        #expect(counts.count(of: "b", at: begin).events == 0)
        #expect(counts.count(of: "a", at: begin + .seconds(60)).events == 0)
        counts.add("a", at: begin + .seconds(60))
        #expect(counts.count(of: "a", at: begin + .seconds(119)).events == 1)
    }

    @Test("A removed key has no events")
    func removed() {
        let counts = RecentCounts(window: .seconds(60), capacity: 10)
        counts.add("a", at: begin)
        counts.remove("a")
        #expect(counts.count(of: "a", at: begin).events == 0)
    }

    @Test("No more keys are kept than there is room for, and keys in use stay")
    func capacity() {
        let counts = RecentCounts(window: .seconds(60), capacity: 100)
        counts.add("kept", at: begin)
        for number in 0..<10_000 {
            counts.add(number, at: begin)
            #expect(counts.count(of: "kept", at: begin).events == 1)
        }
        #expect(counts.keys <= 100)
        #expect(counts.count(of: 0, at: begin).events == 0)
        #expect(counts.count(of: 9999, at: begin).events == 1)
    }
}
