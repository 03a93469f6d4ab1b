import Foundation

/// The two things that a program takes from outside without asking another program: the time and chance. Product code
/// gets both only from here. A test can therefore move the clock by hand and draw the same ids from the same seed.
package struct World: Sendable {
    package let clock: any WallClock
    package let random: any Randomness

    package init(clock: any WallClock, random: any Randomness) {
        self.clock = clock
        self.random = random
    }

    /// The real clock and the system's randomness.
    package static let real = World(clock: SystemClock(), random: SystemRandomness())

    package var now: Timestamp { clock.now }
}

/// A clock for the time of day.
package protocol WallClock: Sendable {
    var now: Timestamp { get }
}

/// A source of bytes that nobody can guess.
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
        // Eight bytes at a time: each draw calls the system, and each request draws an id.
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + 7)
        while bytes.count < count { withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) } }
        bytes.removeLast(bytes.count - count)
        return bytes
    }
}

extension Randomness {
    /// Returns a version 4 UUID as 32 hexadecimal digits, as Identity writes its ids.
    package func hexID() -> String { Hex.text(uuidBytes()) }

    /// Returns a version 4 UUID with dashes in lower case, as the other services write their ids.
    package func uuid() -> String { UUIDText.dashed(uuidBytes()) }

    /// Returns `count` random bytes as Base64URL text without padding.
    package func urlSafe(_ count: Int) -> String { Base64URL.encode(bytes(count)) }

    private func uuidBytes() -> [UInt8] {
        var bytes = bytes(16)
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return bytes
    }
}
