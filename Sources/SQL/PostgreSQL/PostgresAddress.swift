internal import CLibPQ
import CloudCore

/// A parser of libpq connection strings.
package enum PostgresAddress {
    /// Returns the environment variables by which PostgreSQL's own programs reach the same database, such as `PGHOST`
    /// and `PGPASSWORD`. So no password appears on a command line, where other users of the machine can see it.
    ///
    /// - Throws: `SQLError.misuse` for a text that is no connection string.
    package static func environment(_ parameters: String) throws -> [String: String] {
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(parameters, &problem) else {
            defer { PQfreemem(problem) }
            throw SQLError.misuse("not a connection string: \(problem.map { String(cString: $0) } ?? "")")
        }
        defer { PQconninfoFree(options) }
        var variables: [String: String] = [:]
        var at = options
        while at.pointee.keyword != nil {
            if let name = at.pointee.envvar, let value = at.pointee.val { variables[String(cString: name)] = String(cString: value) }
            at = at.advanced(by: 1)
        }
        return variables
    }
}
