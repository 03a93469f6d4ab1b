import CloudCore

/// The errors of the API under the names that clients know (neutron-lib's exceptions).
extension CloudError {
    static func networking(_ kind: Kind, _ type: String, _ message: String) -> CloudError { CloudError(kind, message, code: type) }

    static func invalidInput(_ what: String) -> CloudError {
        networking(.badRequest, "InvalidInput", "Invalid input for operation: \(what).")
    }

    static func badNetworkingRequest(_ resource: String, _ what: String) -> CloudError {
        networking(.badRequest, "BadRequest", "Bad \(resource) request: \(what).")
    }

    /// Returns the error for a resource that does not exist or that the caller may not see.
    static func missing<R: NetworkingResource>(_: R.Type, _ id: String) -> CloudError {
        networking(.notFound, "\(R.typeName)NotFound", "\(R.spokenName) \(id) could not be found.")
    }

    static func inUse(_ type: String, _ message: String) -> CloudError { networking(.conflict, type, message) }

    static func overQuota(_ resources: [String]) -> CloudError {
        networking(.conflict, "OverQuota", "Quota exceeded for resources: [\(resources.map { "'\($0)'" }.joined(separator: ", "))].")
    }

    static let hidden = networking(.notFound, "HTTPNotFound", "The resource could not be found.")
}
