package import CloudCore
import Synchronization

/// A source of randomness that gives the same bytes for the same seed: SplitMix64 (Steele, Lea and Flood, 2014).
package final class SeededRandomness: Randomness {
    private let generator: Mutex<SplitMix64>

    package init(seed: UInt64 = 1) { generator = Mutex(SplitMix64(seed: seed)) }

    package func bytes(_ count: Int) -> [UInt8] {
        generator.withLock { generator in (0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) } }
    }
}

/// The generator itself, for tests that draw numbers.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

extension World {
    /// Returns a world that a test controls.
    package static func test(clock: ManualClock = ManualClock(), seed: UInt64 = 1) -> World {
        World(clock: clock, random: SeededRandomness(seed: seed))
    }
}
