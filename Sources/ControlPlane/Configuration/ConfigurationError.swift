/// Why a configuration cannot be used: every problem that was found, a line each.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
    package let problems: [String]

    package var description: String { problems.joined(separator: "\n") }
}

/// Finds the word that somebody may have meant.
enum Nearest {
    /// The candidate with the fewest letters added, left out or changed; nil where none is near.
    static func of(_ word: String, among candidates: some Sequence<String>) -> String? {
        let most = max(2, word.count / 3)
        return candidates.map { (distance: distance(word, $0), word: $0) }
            .filter { $0.distance <= most }
            .min { ($0.distance, $0.word) < ($1.distance, $1.word) }?.word
    }

    /// Levenshtein's distance.
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
