import CloudCore

/// That tokens issued before a moment, of which everything named here is true, give no access any more.
struct Revocation: Sendable {
    var id: String
    var userID: ID<Kind.User>?
    var projectID: ID<Kind.Project>?
    var domainID: ID<Kind.Domain>?
    var roleID: ID<Kind.Role>?
    var trustID: ID<Kind.Trust>?
    var consumerID: String?
    var accessTokenID: String?
    /// One token.
    var auditID: String?
    /// A token and all that came of it.
    var auditChainID: String?
    var issuedBefore: Timestamp
    var revokedAt: Timestamp

    init(id: String, at now: Timestamp) {
        self.id = id
        issuedBefore = now
        revokedAt = now
    }

    func covers(_ token: Token) -> Bool {
        guard token.issuedAt <= issuedBefore else { return false }
        if let userID, userID != token.userID { return false }
        if let projectID, token.scope != .project(projectID) { return false }
        if let domainID, token.scope != .domain(domainID) { return false }
        if let trustID, trustID != token.trustID { return false }
        if let accessTokenID, accessTokenID != token.accessTokenID?.text { return false }
        if let auditID, auditID != token.auditIDs.first { return false }
        if let auditChainID, auditChainID != token.chainID { return false }
        // Roles and consumers are not in a token: what they gave is looked up, and is gone already.
        return roleID == nil && consumerID == nil
    }
}
