/// Moments in the forms that users of the APIs write in filters: every form that `parse_isotime` of oslo.utils accepts.
///
/// ```
///   moment = year [month [day [("T" | " ") time]]]      a missing part has its first value
///   month  = "-" 1 or 2 digits, or 2 digits that do not end the text
///   day    = "-" 1 or 2 digits, or 2 digits
///   time   = hour [[":"] minute] [[":"] second [("." | ",") fraction]] [zone]
///   zone   = "Z" | ("+" | "-") hours [":"] [minutes]    without one it is UTC
/// ```
extension Timestamp {
    /// Reads a moment; nil if the text is not one.
    package init?(isotime text: String) {
        var reader = IsotimeReader(text: Array(text.utf8))
        guard let moment = reader.read() else { return nil }
        self = moment
    }

    /// The last microsecond of this second. A filter with whole seconds includes everything up to it.
    package var endOfSecond: Self { Self(microseconds: (seconds + 1) * 1_000_000 - 1) }
}

/// A reader that goes from left to right and looks at each byte a bounded number of times.
private struct IsotimeReader {
    let text: [UInt8]
    var place = 0

    private var rest: Int { text.count - place }

    /// Returns the number of digits at this place, at most `most`.
    private func digits(upTo most: Int, from start: Int? = nil) -> Int {
        text[(start ?? place)...].prefix(most).prefix { $0 >= 48 && $0 <= 57 }.count
    }

    private mutating func number(_ width: Int) -> Int64 {
        defer { place += width }
        return text[place..<(place + width)].reduce(0) { $0 * 10 + Int64($1 - 48) }
    }

    private mutating func skip(_ wanted: Character...) -> Bool {
        guard place < text.count, wanted.contains(Character(Unicode.Scalar(text[place]))) else { return false }
        place += 1
        return true
    }

    mutating func read() -> Timestamp? {
        guard digits(upTo: 4) == 4 else { return nil }
        var date: (year: Int64, month: Int64, day: Int64) = (number(4), 1, 1)
        guard date.year > 0 else { return nil }
        guard rest > 0 else { return Timestamp(date: date, seconds: 0, microseconds: 0) }
        guard let month = month() else { return nil }
        date.month = month
        guard rest > 0 else { return Timestamp(date: date, seconds: 0, microseconds: 0) }
        guard let day = day() else { return nil }
        date.day = day
        guard rest > 0 else { return Timestamp(date: date, seconds: 0, microseconds: 0) }
        guard skip("T", " "), let time = time(), rest == 0 else { return nil }
        return Timestamp(date: date, seconds: time.seconds, microseconds: time.microseconds)
    }

    private mutating func month() -> Int64? {
        if skip("-") {
            let count = digits(upTo: 4)
            guard count > 0 else { return nil }
            // Three digits are one digit of the month and two of the day: no other reading is possible.
            return number(count == 1 || count == 3 ? 1 : 2)
        }
        // A year and two digits that end the text are not a month: the digits could be the beginning of a time in short
        // form.
        guard digits(upTo: 2) == 2, rest > 2 else { return nil }
        return number(2)
    }

    private mutating func day() -> Int64? {
        if skip("-") {
            let count = digits(upTo: 2)
            return count > 0 ? number(count) : nil
        }
        return digits(upTo: 2) == 2 ? number(2) : nil
    }

    private mutating func time() -> (seconds: Int64, microseconds: Int64)? {
        guard digits(upTo: 2) == 2 else { return nil }
        let hour = number(2)
        let minute = minute() ?? 0
        var (second, microseconds): (Int64, Int64) = (0, 0)
        let before = place
        _ = skip(":")
        let count = digits(upTo: 2)
        if count > 0 {
            second = number(count)
            guard let fraction = fraction() else { return nil }
            microseconds = fraction
        } else {
            place = before
        }
        guard hour < 24, minute < 60, second < 60, let offset = offset() else { return nil }
        return (hour * 3600 + minute * 60 + second - offset, microseconds)
    }

    /// Reads minutes. Two digits after the hour are minutes, unless a fraction follows: only seconds have a fraction.
    private mutating func minute() -> Int64? {
        let start = place < text.count && text[place] == UInt8(ascii: ":") ? place + 1 : place
        guard digits(upTo: 2, from: start) == 2 else { return nil }
        if start + 2 < text.count, [UInt8(ascii: "."), UInt8(ascii: ",")].contains(text[start + 2]) { return nil }
        place = start
        return number(2)
    }

    /// Reads a fraction of a second in microseconds; further digits are cut off. Returns nil for a point without
    /// digits.
    private mutating func fraction() -> Int64? {
        guard skip(".", ",") else { return 0 }
        let count = digits(upTo: rest)
        guard count > 0 else { return nil }
        let known = min(count, 6)
        var value = number(known)
        for _ in known..<6 { value *= 10 }
        place += count - known
        return value
    }

    /// Reads a zone. Returns the seconds by which it is ahead of UTC, or nil for an invalid zone.
    private mutating func offset() -> Int64? {
        if rest == 0 || skip("Z") { return 0 }
        let isBehind = text[place] == UInt8(ascii: "-")
        guard skip("+", "-"), digits(upTo: 2) == 2 else { return nil }
        var minutes = number(2) * 60
        _ = skip(":")
        if digits(upTo: 2) == 2 { minutes += number(2) }
        guard minutes < 24 * 60 else { return nil }
        return minutes * (isBehind ? -60 : 60)
    }
}
