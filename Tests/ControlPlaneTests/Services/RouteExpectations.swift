import CloudCore
import HTTPKit
import HTTPTypes

/// The facts about one service that `RouteTests` needs.
///
/// The caller has a role that may change nothing. Each route is tried on existing things of the caller's own project,
/// with a valid body. Only the caller's rights stand in the way, so the answer is a 403.
struct RouteExpectations: Sendable {
    /// A route that does not answer 403, and why.
    struct Exception: Sendable {
        let route: String
        let status: Int
        let reason: String
    }

    /// The caller's role on the project `demo`.
    enum Role: Sendable { case reader, member }

    /// The ids of the things that were made, by the name of a brace or by the segment before it.
    typealias Things = [String: String]

    /// Routes that need no token, and why.
    let open: [String: String]
    var role = Role.reader
    /// The text for a brace for which no thing was made.
    var word = "0123456789abcdef0123456789abcdef"
    /// The version headers with which routes are tried; empty for services without versions.
    var versions: [String] = []
    /// Makes the things on which routes are tried.
    var make: @Sendable (RouteStage) async throws -> Things = { _ in [:] }
    /// Returns a valid body of a route, nil for an empty object, or null for no body.
    var body: @Sendable (_ route: Route, _ things: Things) -> JSON? = { _, _ in nil }
    /// Returns the content type of a route's body.
    var type: @Sendable (_ route: Route) -> String = { _ in "application/json" }
    var exceptions: [Exception] = []

    static let all: [String: RouteExpectations] = [
        "Identity": .identity, "Placement": .placement, "Images": .images, "Networking": .networking,
        "Compute": .compute, "BlockStorage": .blockStorage, "Operator": RouteExpectations(open: [:]),
    ]

    static let discovery = "Clients find out what there is before they can have a token."

    static let placement = RouteExpectations(
        open: ["GET /": discovery], role: .member, versions: ["placement 1.0", "placement 1.39"])
}
