import Foundation

/// What a program takes from outside itself without asking anybody: the time and chance. Product code gets both from
/// here and nowhere else, so that a test can move the clock by hand and draw the same ids from the same seed.
package struct World: Sendable {
    package let clock: any WallClock
    package let random: any Randomness

    package init(clock: any WallClock, random: any Randomness) {
        self.clock = clock
        self.random = random
    }

    /// The real one.
    package static let real = World(clock: SystemClock(), random: SystemRandomness())

    package var now: Timestamp { clock.now }
}

/// Tells the time of day.
package protocol WallClock: Sendable {
    var now: Timestamp { get }
}

/// Draws bytes that nobody can guess.
package protocol Randomness: Sendable {
    func bytes(_ count: Int) -> [UInt8]
}

package struct SystemClock: WallClock {
    package init() {}

    package var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
    }
}

package struct SystemRandomness: Randomness {
    package init() {}

    package func bytes(_ count: Int) -> [UInt8] {
        // Eight at a time: each draw asks the system, and a request draws an id.
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count { withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) } }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

extension Randomness {
    /// 32 hexadecimal digits of a version 4 UUID: how Identity writes its ids.
    package func hexID() -> String { Hex.text(uuidBytes()) }

    /// A version 4 UUID with dashes, in lower case: how the other services write theirs.
    package func uuid() -> String { UUIDText.dashed(uuidBytes()) }

    /// Text of `count` random bytes in the URL's own alphabet, without padding.
    package func urlSafe(_ count: Int) -> String { Base64URL.encode(bytes(count)) }

    private func uuidBytes() -> [UInt8] {
        var bytes = bytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return bytes
    }
}
