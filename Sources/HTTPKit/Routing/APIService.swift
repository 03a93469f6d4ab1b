import Access
import CloudCore

/// One OpenStack API as it hangs on the port: its routes, its envelope for errors, its microversions.
package struct APIService: Sendable {
    /// The service's type in the catalog, as `identity`: also its word in access rules, metrics and logs.
    package let name: String
    /// Where it is reached: `/identity`, and an empty one for the root. The first is the one that links show.
    package let prefixes: [String]
    package let envelope: any ErrorEnvelope
    package let microversions: MicroversionRange?
    /// The most bytes of a body that is read whole.
    package var bodyLimit: Int
    /// Whether a long body is read only for a caller who has a role. Identity takes bodies of those who have no token yet.
    package let longBodiesNeedRole: Bool
    /// Whether `OPTIONS` and `HEAD` are answered where the table has only other methods. A few APIs refuse what they do not list.
    package let answersUnlistedMethods: Bool
    /// Whether a slash behind a path counts for nothing.
    package let ignoresTrailingSlash: Bool
    package let routes: [Route]

    package init(
        name: String, prefixes: [String], envelope: any ErrorEnvelope, microversions: MicroversionRange? = nil,
        bodyLimit: Int = 1 << 20, longBodiesNeedRole: Bool = true, answersUnlistedMethods: Bool = true, ignoresTrailingSlash: Bool = true,
        routes: [Route]
    ) {
        self.name = name
        self.prefixes = prefixes
        self.envelope = envelope
        self.microversions = microversions
        self.bodyLimit = bodyLimit
        self.longBodiesNeedRole = longBodiesNeedRole
        self.answersUnlistedMethods = answersUnlistedMethods
        self.ignoresTrailingSlash = ignoresTrailingSlash
        self.routes = routes
    }
}
