import CloudCore

extension Route {
    /// The name of the parameter for the project in older URLs.
    package static let urlProject = "url_project"

    /// Returns copies of the routes below a prefix, with the caller's project in their paths:
    /// `/v2.1/{url_project}/servers`.
    package static func belowProject(_ routes: [Route], prefix: String) -> [Route] {
        routes.filter { $0.path.hasPrefix(prefix + "/") }.map { route in
            Route(route.method, "\(prefix)/{\(urlProject)}\(route.path.dropFirst(prefix.count))", route.handler)
        }
    }

    /// Refuses a URL that names another project than the caller's.
    ///
    /// - Throws: `CloudError.badRequest`.
    package static func checkProject(in call: Call, is project: String) throws {
        let named = call[parameter: urlProject]
        guard named.isEmpty || named == project else {
            throw CloudError.badRequest(
                "Malformed request URL: URL's project_id '\(named.prefix(255))' "
                    + "doesn't match Context's project_id '\(project)'")
        }
    }
}
