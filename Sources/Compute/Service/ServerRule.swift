import Access

/// What is asked before an action on a server is taken, in this order: the policy, the lock, the states.
struct ServerRule: Sendable {
    static let everyState = Set(VMState.allCases)

    /// The action's name in refusals.
    let word: String
    let policy: Action
    /// The states in which the action is taken.
    var states = Self.everyState
    /// Whether only administrators may do it to a locked server.
    var heedsLock = true

    /// Returns the same rule with another policy.
    func asking(_ policy: Action) -> ServerRule {
        ServerRule(word: word, policy: policy, states: states, heedsLock: heedsLock)
    }
}
