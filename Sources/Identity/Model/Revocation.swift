import CloudCore

/// A revocation event. Every token that was issued before a moment and has all ids that the event names is invalid.
struct Revocation: Sendable {
    var id: String
    var userID: ID<Kind.User>?
    var projectID: ID<Kind.Project>?
    var domainID: ID<Kind.Domain>?
    var roleID: ID<Kind.Role>?
    var trustID: ID<Kind.Trust>?
    var consumerID: String?
    var accessTokenID: String?
    /// The audit id of a single token.
    var auditID: String?
    /// The audit id of the first token of a chain. The event ends that token and every token that was made from it.
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
        // Tokens do not contain roles or consumers. Their effect is read for each token, and has already ended.
        return roleID == nil && consumerID == nil
    }
}
