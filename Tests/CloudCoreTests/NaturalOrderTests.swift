import CloudCore
import Testing

@Suite("The natural order of names")
struct NaturalOrderTests {
    @Test("Numbers in names count as numbers, and everything else by its bytes")
    func order() {
        let sorted = [
            "", "10", "B", "a", "host", "host-1", "host-2", "host-02", "host-10", "host-10a",
            "host-99999999999999999999", "host1", "é",
        ]
        let expected = [
            "", "10", "B", "a", "host", "host-1", "host-02", "host-2", "host-10", "host-10a",
            "host-99999999999999999999", "host1", "é",
        ]
        #expect(sorted.reversed().sorted { NaturalOrder($0) < NaturalOrder($1) } == expected)
    }

    @Test("Of two names one comes first, unless they are equal")
    func strict() {
        let names = ["a1", "a01", "a001", "a1b", "a01b", "1a", "01a", "a", "", "a10", "a9"]
        for one in names {
            for other in names {
                let (left, right) = (NaturalOrder(one), NaturalOrder(other))
                #expect((left < right ? 1 : 0) + (right < left ? 1 : 0) == (one == other ? 0 : 1), "\(one), \(other)")
            }
        }
    }
}
