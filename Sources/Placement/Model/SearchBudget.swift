/// How much a search may try. Groups over many alike providers multiply: 8 groups over 16 devices of one host have 500 million
/// choices, and a request must not cost minutes or gigabytes because of them. A tree that was not searched to the end gives
/// the candidates that were found until then, and every tree gets its turn.
struct SearchBudget {
    /// What each tree has for itself: choices to try, and candidates. It is enough for ordinary requests.
    private static let ofTree = 32
    private static let candidatesOfTree = 16
    /// What all trees of a request may take beyond it, and which part of what is left each of them may.
    private static let ofAll = 400_000
    private static let shareOfTree = 8
    /// A candidate is kept, written and sent, which costs more than a choice that is given up.
    private static let priceOfCandidate = 10
    /// Ways to place one group in one tree.
    static let mostParts = 10_000

    private var ofAll = SearchBudget.ofAll
    private var ofTree = 0
    private var candidatesOfTree = 0
    private var extra = 0

    mutating func nextTree() {
        ofTree = Self.ofTree
        candidatesOfTree = Self.candidatesOfTree
        extra = ofAll / Self.shareOfTree
    }

    /// One choice more. False when it cannot be afforded.
    mutating func spend() -> Bool {
        guard ofTree == 0 else {
            ofTree -= 1
            return true
        }
        return take(1)
    }

    mutating func spendOnCandidate() -> Bool {
        guard candidatesOfTree == 0 else {
            candidatesOfTree -= 1
            return true
        }
        return take(Self.priceOfCandidate)
    }

    private mutating func take(_ price: Int) -> Bool {
        guard extra >= price else { return false }
        extra -= price
        ofAll -= price
        return true
    }
}
