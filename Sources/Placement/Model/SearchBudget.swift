/// The limit of the work of a search. Groups over many similar providers multiply: 8 groups over 16 devices of one host
/// have 500 million choices, and one request must not cost minutes or gigabytes. A tree that was not searched to the
/// end yields the candidates that were found until then, and every tree gets its turn.
struct SearchBudget {
    /// The own budget of each tree: choices to try, and candidates. It is enough for ordinary requests.
    private static let ofTree = 32
    private static let candidatesOfTree = 16
    /// The budget that all trees of a request share beyond their own. Each tree may take one part in `shareOfTree` of
    /// what is left.
    private static let ofAll = 400_000
    private static let shareOfTree = 8
    /// The price of a candidate in choices: it is kept, written and sent, which costs more than a rejected choice.
    private static let priceOfCandidate = 10
    /// The most ways to place one group in one tree.
    static let mostParts = 10_000  // tidy: allow bound, a budget of work

    private var ofAll = SearchBudget.ofAll
    private var ofTree = 0
    private var candidatesOfTree = 0
    private var extra = 0

    mutating func nextTree() {
        ofTree = Self.ofTree
        candidatesOfTree = Self.candidatesOfTree
        extra = ofAll / Self.shareOfTree
    }

    /// Pays for one more choice. Returns false if the budget is used up.
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
