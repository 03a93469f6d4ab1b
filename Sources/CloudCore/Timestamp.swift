/// A moment in whole microseconds since 1970-01-01T00:00:00Z, as every table stores it.
package struct Timestamp: Hashable, Comparable, Sendable, Codable {
    package var microseconds: Int64

    package init(microseconds: Int64) { self.microseconds = microseconds }

    package init(seconds: Int64) { microseconds = seconds * 1_000_000 }

    package init(from decoder: any Decoder) throws {
        microseconds = try decoder.singleValueContainer().decode(Int64.self)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(microseconds)
    }

    /// Whole seconds since the epoch, rounded down.
    package var seconds: Int64 {
        let (quotient, remainder) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return remainder < 0 ? quotient - 1 : quotient
    }

    package static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }

    package static func + (left: Self, right: Duration) -> Self {
        Self(microseconds: left.microseconds + right.wholeMicroseconds)
    }

    package static func - (left: Self, right: Duration) -> Self {
        Self(microseconds: left.microseconds - right.wholeMicroseconds)
    }

    package static func - (left: Self, right: Self) -> Duration {
        .microseconds(left.microseconds - right.microseconds)
    }

    /// The moment with its fraction of a second cut off.
    package var wholeSeconds: Self { Self(seconds: seconds) }
}

extension Duration {
    /// The duration in microseconds, rounded towards zero.
    package var wholeMicroseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }

    /// The duration in nanoseconds, rounded towards zero; the largest number for one of more than 292 years.
    package var wholeNanoseconds: Int64 {
        let (product, overflow) = components.seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product + components.attoseconds / 1_000_000_000
    }

    /// The duration in seconds, for metrics and log lines.
    package var inSeconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}

// MARK: - ISO 8601

extension Timestamp {
    /// The forms in which APIs write moments.
    package enum Form: Sendable {
        /// The form of Keystone: `2026-11-21T03:52:23.000000Z`.
        case microseconds
        /// The form of Nova and Glance: `2026-11-21T03:52:23Z`.
        case seconds
        /// The form of APIs that write no zone: `2026-11-21T03:52:23.000000`.
        case microsecondsNoZone
    }

    /// The moment as Keystone writes it: `2026-11-21T03:52:23.000000Z`.
    package var iso8601Microseconds: String { text(.microseconds) }

    /// The moment as Nova and Glance write it: `2026-11-21T03:52:23Z`.
    package var iso8601Seconds: String { text(.seconds) }

    /// The moment as APIs without a zone write it: `2026-11-21T03:52:23.000000`.
    package var iso8601MicrosecondsNoZone: String { text(.microsecondsNoZone) }

    /// The most bytes of a form.
    private static let longest = 32

    private func text(_ form: Form) -> String {
        String(unsafeUninitializedCapacity: Self.longest) { write(form, $0) }
    }

    /// Gives the bytes of a form to `body`.
    func withText(_ form: Form, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.longest) { out in
            let count = write(form, out)
            body(UnsafeBufferPointer(rebasing: out[..<count]))
        }
    }

    /// Writes the moment. Returns the number of bytes.
    private func write(_ form: Form, _ out: UnsafeMutableBufferPointer<UInt8>) -> Int {
        let total = seconds
        var days = total / 86_400
        var inDay = total % 86_400
        if inDay < 0 { (days, inDay) = (days - 1, inDay + 86_400) }
        let (year, month, day) = Self.civil(daysSinceEpoch: days)
        let micro = microseconds - total * 1_000_000
        var at = 0
        func put(_ value: Int64, _ width: Int, _ separator: UInt8?) {
            var rest = value
            for place in stride(from: at + width - 1, through: at, by: -1) {
                out[place] = UInt8(48 + rest % 10)
                rest /= 10
            }
            at += width
            if let separator {
                out[at] = separator
                at += 1
            }
        }
        let zone = form == .microsecondsNoZone ? nil : UInt8(ascii: "Z")
        put(year, 4, UInt8(ascii: "-"))
        put(month, 2, UInt8(ascii: "-"))
        put(day, 2, UInt8(ascii: "T"))
        put(inDay / 3600, 2, UInt8(ascii: ":"))
        put(inDay / 60 % 60, 2, UInt8(ascii: ":"))
        put(inDay % 60, 2, form == .seconds ? zone : UInt8(ascii: "."))
        if form != .seconds { put(micro, 6, zone) }
        return at
    }

    /// Reads `2026-11-21[T ]03:52:23[.fraction][Z|±hh:mm|±hhmm]`; a text without a zone is in UTC. Returns nil for
    /// anything else.
    package init?(iso8601 text: String) {
        var digits = Array(text.utf8)[...]
        func number(_ width: Int) -> Int64? {
            guard digits.count >= width else { return nil }
            var value: Int64 = 0
            for byte in digits.prefix(width) {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int64(byte - 48)
            }
            digits = digits.dropFirst(width)
            return value
        }
        func skip(_ allowed: StaticString) -> Bool {
            guard let first = digits.first else { return false }
            let found = allowed.withUTF8Buffer { $0.contains(first) }
            if found { digits = digits.dropFirst() }
            return found
        }
        guard let year = number(4), skip("-"), let month = number(2), skip("-"), let day = number(2), skip("T "),
            let hour = number(2), skip(":"), let minute = number(2), skip(":"), let second = number(2),
            (1...12).contains(month), (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        var micro: Int64 = 0
        if skip(".") {
            var scale: Int64 = 100_000
            guard digits.first.map({ $0 >= 48 && $0 <= 57 }) == true else { return nil }
            while let digit = number(1) {
                micro += digit * scale
                scale /= 10
            }
        }
        var offset: Int64 = 0
        if !digits.isEmpty, !skip("Z") {
            let negative = digits.first == UInt8(ascii: "-")
            guard skip("+-"), let hours = number(2), hours < 24 else { return nil }
            _ = skip(":")
            guard let minutes = number(2), minutes < 60 else { return nil }
            offset = (hours * 60 + minutes) * (negative ? -60 : 60)
        }
        guard digits.isEmpty else { return nil }
        self.init(date: (year, month, day), seconds: hour * 3600 + minute * 60 + second - offset, microseconds: micro)
    }

    /// Makes a moment. Returns nil for a date that does not exist, and for a moment outside the years 0 to 9999.
    ///
    /// - Parameters:
    ///   - seconds: the seconds since the beginning of the day in UTC.
    ///   - microseconds: the microseconds below a second.
    init?(date: (year: Int64, month: Int64, day: Int64), seconds: Int64, microseconds: Int64) {
        guard Self.civil(daysSinceEpoch: Self.days(date.year, date.month, date.day)) == date else { return nil }
        let seconds = Self.days(date.year, date.month, date.day) * 86_400 + seconds
        guard (Self.days(0, 1, 1) * 86_400..<Self.days(10_000, 1, 1) * 86_400).contains(seconds) else { return nil }
        self.init(microseconds: seconds * 1_000_000 + microseconds)
    }

    /// Returns the days from the epoch to a date of the proleptic Gregorian calendar (Howard Hinnant's
    /// `days_from_civil`).
    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let y = month <= 2 ? year - 1 : year
        let era = (y >= 0 ? y : y - 399) / 400
        let yearOfEra = y - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    /// Returns the date of a day; the inverse of `days` (`civil_from_days`).
    private static func civil(daysSinceEpoch days: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let z = days + 719_468
        let era = (z >= 0 ? z : z - 146_096) / 146_097
        let dayOfEra = z - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        let month = shifted < 10 ? shifted + 3 : shifted - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shifted + 2) / 5 + 1)
    }
}
