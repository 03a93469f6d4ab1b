/// The media types that an `Accept` header allows, with their weights (RFC 9110 section 12.5.1).
package struct MediaRanges: Sendable {
    private struct Range: Sendable {
        let type: Substring
        let subtype: Substring
        /// Whether the range has parameters, as `text/html;level=1` has. Such a range matches no plain media type.
        let hasParameters: Bool
        let quality: Int
    }

    /// The ranges; nil for a header with a syntax error, which allows every media type.
    private let ranges: [Range]?

    package init(_ accept: String) {
        var ranges: [Range]? = []
        for part in accept.lowercased().split(separator: ",") {
            let words = part.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
            if words == [""] { continue }
            guard let range = Self.range(words) else {
                ranges = nil
                break
            }
            ranges?.append(range)
        }
        self.ranges = ranges
    }

    /// Returns the media type that the client prefers, or nil if it accepts none. If several have the same weight, the
    /// first wins.
    ///
    /// - Parameter offers: media types in lower case, without parameters.
    package func best(of offers: [String]) -> String? {
        var best: (offer: String, quality: Int)?
        for offer in offers {
            let quality = quality(of: offer)
            if quality > best?.quality ?? 0 { best = (offer, quality) }
        }
        return best?.offer
    }

    /// Returns the weight that the most specific matching range gives the media type, in thousandths; 0 if it is not
    /// allowed.
    private func quality(of offer: String) -> Int {
        guard let ranges else { return Self.most }
        let parts = offer.split(separator: "/", maxSplits: 1)
        guard parts.count == 2 else { return 0 }
        var closest: (closeness: Int, quality: Int) = (0, 0)
        for range in ranges where !range.hasParameters {
            let closeness =
                switch (range.type, range.subtype) {
                case (parts[0], parts[1]): 3
                case (parts[0], "*"): 2
                case ("*", "*"): 1
                default: 0
                }
            if closeness > closest.closeness { closest = (closeness, range.quality) }
        }
        return closest.quality
    }

    // MARK: Reading

    private static let most = 1000  // tidy: allow bound, thousandths

    private static func range(_ words: [Substring]) -> Range? {
        let parts = words[0].split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy(isToken), parts[0] != "*" || parts[1] == "*" else { return nil }
        var (quality, hasParameters) = (most, false)
        for word in words.dropFirst() {
            let pair = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2, isToken(pair[0]), !pair[1].isEmpty else { return nil }
            if pair[0] == "q" {
                guard let given = thousandths(pair[1]) else { return nil }
                quality = given
                // Parameters after the quality belong to the header, not to the media type.
                break
            }
            hasParameters = true
        }
        return Range(type: parts[0], subtype: parts[1], hasParameters: hasParameters, quality: quality)
    }

    /// Reads a weight such as `1`, `0.5` or `0.125`: at most 1, with at most three digits after the point.
    private static func thousandths(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = parts.count > 1 ? parts[1] : ""
        guard let whole = parts.first, whole == "0" || whole == "1", digits.utf8.count <= 3,
            digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }),
            let value = Int(whole + digits + String(repeating: "0", count: 3 - digits.utf8.count)), value <= most
        else { return nil }
        return value
    }

    private static func isToken(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 32 && $0 < 127 && !separators.contains($0) }
    }

    private static let separators = Set("()<>@,;:\\\"/[]?={}".utf8)

    private static func trimmed(_ text: Substring) -> Substring {
        func isSpace(_ letter: Character) -> Bool { letter == " " || letter == "\t" }
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        return text
    }
}
