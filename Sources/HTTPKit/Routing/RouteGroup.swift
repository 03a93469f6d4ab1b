/// The routes of one file, which is named after its group. The `README.md` of the service has a table of all of them.
package protocol RouteGroup: Sendable {
    var all: [Route] { get }
}
