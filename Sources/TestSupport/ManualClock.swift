package import CloudCore
import Synchronization

/// A clock that stands still until a test moves it.
package final class ManualClock: WallClock {
    private let time: Mutex<Timestamp>

    package init(_ start: Timestamp = Timestamp(seconds: 1_800_000_000)) { time = Mutex(start) }

    package var now: Timestamp { time.withLock { $0 } }

    package func advance(by duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// The same bytes from the same seed (SplitMix64): ids in a test's output can be compared between runs.
package final class SeededRandomness: Randomness {
    private let state: Mutex<UInt64>

    package init(seed: UInt64) { state = Mutex(seed) }

    package func bytes(_ count: Int) -> [UInt8] {
        state.withLock { state in
            var out: [UInt8] = []
            while out.count < count {
                state &+= 0x9e37_79b9_7f4a_7c15
                var word = state
                word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
                word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
                word ^= word >> 31
                for shift in stride(from: 0, to: 64, by: 8) where out.count < count {
                    out.append(UInt8(truncatingIfNeeded: word >> UInt64(shift)))
                }
            }
            return out
        }
    }
}
