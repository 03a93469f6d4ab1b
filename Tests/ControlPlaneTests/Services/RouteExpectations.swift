import CloudCore
import HTTPKit
import HTTPTypes

/// What `RouteTests` must know of one service.
///
/// A route is tried by somebody with a role that lets nothing be changed, on things that are there and belong to the
/// caller's own project, with a body that is right: only the caller's rights are in the way, so the answer is a 403.
struct RouteExpectations: Sendable {
    /// A route that does not answer 403, and why.
    struct Exception: Sendable {
        let route: String
        let status: Int
        let reason: String
    }

    /// The role on the project `demo` that the caller has.
    enum Role: Sendable { case reader, member }

    /// The ids of things that were made: by the name of a brace, or by the segment before it.
    typealias Things = [String: String]

    /// Routes that ask for no token, and why.
    let open: [String: String]
    var role = Role.reader
    /// What stands for a brace of a thing that was not made.
    var word = "0123456789abcdef0123456789abcdef"
    /// The headers of the versions in which routes are tried; empty for services without versions.
    var versions: [String] = []
    /// Makes what routes are tried on.
    var make: @Sendable (RouteStage) async throws -> Things = { _ in [:] }
    /// Returns the right body for a route that has one; nil for an empty object, a null for none at all.
    var body: @Sendable (_ route: Route, _ things: Things) -> JSON? = { _, _ in nil }
    /// Returns the type of a route's body.
    var type: @Sendable (_ route: Route) -> String = { _ in "application/json" }
    var exceptions: [Exception] = []

    static let all: [String: RouteExpectations] = [
        "Identity": .identity, "Placement": .placement, "Images": .images, "Networking": .networking,
        "Compute": .compute,
    ]

    static let discovery = "Clients find out what there is before they can have a token."

    static let placement = RouteExpectations(
        open: ["GET /": discovery], role: .member, versions: ["placement 1.0", "placement 1.39"])
}
