/// Names in the order of their scores, the highest first; equal scores in the order of the names.
///
/// The list is in pieces: a copy that is changed in one place shares all other pieces with the original.
struct Ranking: Sendable, Equatable {
    struct Place: Sendable, Comparable {
        var score: Double
        var name: String

        static func < (left: Self, right: Self) -> Bool { (right.score, left.name) < (left.score, right.name) }
    }

    private static let size = 256
    private var pieces: [[Place]] = []
    private(set) var count = 0

    init() {}

    init(_ places: [Place]) {
        let sorted = places.sorted()
        count = sorted.count
        pieces = stride(from: 0, to: count, by: Self.size).map { Array(sorted[$0..<min($0 + Self.size, count)]) }
    }

    var isEmpty: Bool { count == 0 }
    var names: some Sequence<String> { pieces.lazy.joined().lazy.map(\.name) }

    mutating func insert(_ place: Place) {
        count += 1
        guard !pieces.isEmpty else { return pieces = [[place]] }
        let piece = min(piece(of: place), pieces.count - 1)
        pieces[piece].insert(place, at: Self.first(in: pieces[piece]) { !($0 < place) })
        guard pieces[piece].count > 2 * Self.size else { return }
        let rest = Array(pieces[piece][Self.size...])
        pieces[piece].removeSubrange(Self.size...)
        pieces.insert(rest, at: piece + 1)
    }

    /// Removes a place. It has no effect if it is not in the list.
    mutating func remove(_ place: Place) {
        let piece = piece(of: place)
        guard piece < pieces.count else { return }
        let at = Self.first(in: pieces[piece]) { !($0 < place) }
        guard at < pieces[piece].count, pieces[piece][at] == place else { return }
        pieces[piece].remove(at: at)
        count -= 1
        if pieces[piece].isEmpty { pieces.remove(at: piece) }
    }

    /// Returns the number of the first piece that ends with the place or behind it.
    private func piece(of place: Place) -> Int { Self.first(in: pieces) { $0.last.map { !($0 < place) } ?? false } }

    /// Returns the number of the first element for which `isThere` holds; the count if there is none. Once it holds, it
    /// holds for all later elements.
    private static func first<Element>(in list: [Element], where isThere: (Element) -> Bool) -> Int {
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if isThere(list[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
