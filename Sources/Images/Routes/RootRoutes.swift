import HTTPKit

/// `/`: which versions there are, for everybody.
struct RootRoutes: Sendable {
    var all: [Route] { [] }
}
