/// An unusable configuration: all problems that were found, each in one line.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package let problems: [String]

    package var description: String { problems.joined(separator: "\n") }
}

/// A search for the word that a user may have meant.
enum Nearest {
    /// Returns the candidate with the fewest added, missing or changed letters; nil if none is close.
    static func of(_ word: String, among candidates: some Sequence<String>) -> String? {
        let most = max(2, word.count / 3)
        return candidates.map { (distance: distance(word, $0), word: $0) }
            .filter { $0.distance <= most }
            .min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
    }

    /// Returns the Levenshtein distance.
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (line, letter) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = line + 1
            for (column, other) in right.enumerated() {
                let change = diagonal + (letter == other ? 0 : 1)
                diagonal = row[column + 1]
                row[column + 1] = min(change, row[column] + 1, diagonal + 1)
            }
        }
        return row[right.count]
    }
}
