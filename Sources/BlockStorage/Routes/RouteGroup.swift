import HTTPKit

/// The routes of one file, which is named after its group. `README.md` has a table of all of them.
protocol RouteGroup: Sendable {
    var all: [Route] { get }
}
