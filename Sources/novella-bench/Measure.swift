import Foundation

/// The number of turns in a time, and the duration of each turn.
struct Measure {
    /// The durations of the turns, from the shortest to the longest.
    private let durations: [Duration]
    private let elapsed: Duration

    private init(durations: [Duration], elapsed: Duration) { (self.durations, self.elapsed) = (durations, elapsed) }

    /// Makes a measure of durations that were measured elsewhere.
    init(_ durations: [Duration]) { self.init(durations: durations.sorted(), elapsed: durations.reduce(.zero, +)) }

    /// Runs `work` repeatedly in `callers` tasks at the same time, for `time`.
    ///
    /// - Parameter work: takes the number of its caller and of its turn.
    static func rate(
        callers: Int, for time: Duration, _ work: @escaping @Sendable (Int, Int) async throws -> Void
    ) async throws -> Measure {
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + time
        let durations = try await withThrowingTaskGroup(of: [Duration].self) { group in
            for caller in 0..<callers {
                group.addTask {
                    var durations: [Duration] = []
                    var now = clock.now
                    while now < end {
                        try await work(caller, durations.count)
                        let then = clock.now
                        durations.append(then - now)
                        now = then
                    }
                    return durations
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        return Measure(durations: durations.sorted(), elapsed: clock.now - start)
    }

    /// Runs `work` for `turns` turns, one after the other. The `preparation` before each turn is not measured.
    static func each(
        _ turns: Int, after preparation: (Int) async throws -> Void = { _ in }, _ work: () async throws -> Void
    ) async throws -> Measure {
        let clock = ContinuousClock()
        var durations: [Duration] = []
        for turn in 0..<turns {
            try await preparation(turn)
            durations.append(try await clock.measure { try await work() })
        }
        return Measure(durations: durations.sorted(), elapsed: durations.reduce(.zero, +))
    }

    var perSecond: Int { Int(Double(durations.count) / (elapsed / .seconds(1))) }

    /// Returns the duration in milliseconds that the given part of all turns does not exceed.
    func milliseconds(below part: Double) -> String {
        guard !durations.isEmpty else { return "-" }
        let microseconds = Int(durations[Int(part * Double(durations.count - 1))] / .microseconds(1))
        let fraction = String(microseconds % 1000)
        return "\(microseconds / 1000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}

/// Prints a row of a Markdown table.
func row(_ cells: String...) {
    print("| \(cells.joined(separator: " | ")) |")  // tidy: allow print, a program for people
    fflush(nil)
}
