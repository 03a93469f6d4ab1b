import Access
import CloudCore
import HTTPKit
import Logging

/// A request to the operator's tools, whose caller may make it.
struct OperatorCall: PreparedCall {
    let call: Call
    let principal: Principal
    let minor: Int
    private let policy: Policy

    static let dialect = Dialect.house("body")
    static let firstMinor = 0

    init(_ call: Call, _ principal: Principal, minor: Int, policy: Policy) {
        (self.call, self.principal, self.minor, self.policy) = (call, principal, minor, policy)
    }

    func require(_ action: Action, _ target: PolicyTarget) throws { try policy.require(action, principal, target) }
}

extension Principal {
    /// The caller's name in logs and histories.
    var author: String { "\(userName) (\(userID))" }
}
