import Access
import CloudCore

/// One OpenStack API on the server: its routes, its error envelope and its microversions.
package struct APIService: Sendable {
    /// The service's type in the catalog, such as `identity`. Access rules, metrics and logs use the same word.
    package let name: String
    /// The paths at which the API is mounted, such as `/identity`; an empty prefix is the root. Links show the first
    /// one.
    package let prefixes: [String]
    package let envelope: any ErrorEnvelope
    package let microversions: MicroversionRange?
    /// The most bytes of a body that is read whole.
    package var bodyLimit: Int
    /// Whether `OPTIONS` and `HEAD` are answered for a path whose routes have only other methods. A few APIs refuse
    /// methods that they do not list.
    package private(set) var answersUnlistedMethods = true
    /// Whether a slash at the end of a path is ignored.
    package private(set) var ignoresTrailingSlash = true
    package let routes: [Route]

    package init(
        name: String, prefixes: [String], envelope: any ErrorEnvelope, microversions: MicroversionRange? = nil,
        bodyLimit: Int = Limits.request.body.most, routes: [Route]
    ) {
        self.name = name
        self.prefixes = prefixes
        self.envelope = envelope
        self.microversions = microversions
        self.bodyLimit = bodyLimit
        self.routes = routes
    }

    /// Returns the same API, which refuses what its reference refuses: methods that no route of a path has, or a slash
    /// at the end of a path.
    package func refusing(unlistedMethods: Bool = false, trailingSlash: Bool = false) -> APIService {
        var service = self
        service.answersUnlistedMethods = !unlistedMethods
        service.ignoresTrailingSlash = !trailingSlash
        return service
    }
}
