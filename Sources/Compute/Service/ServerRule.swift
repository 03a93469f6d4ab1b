import Access

/// The conditions of an action on a server. They are checked in this order: the policy, the lock, the states.
struct ServerRule: Sendable {
    static let everyState = Set(VMState.allCases)

    /// The action's name in error messages.
    let word: String
    let policy: Action
    /// The states in which the action is allowed.
    var states = Self.everyState
    /// Whether only administrators may do the action on a locked server.
    var heedsLock = true

    /// Returns the same rule with another policy.
    func asking(_ policy: Action) -> ServerRule {
        ServerRule(word: word, policy: policy, states: states, heedsLock: heedsLock)
    }
}
