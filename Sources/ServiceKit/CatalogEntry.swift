/// A service in the catalogue.
package struct CatalogEntry: Sendable, Hashable {
    /// The service's type, as `compute`.
    package let type: String
    /// The name that the service usually has: some clients look for a service by it.
    package let name: String
    /// The path behind the cloud's URL.
    package let path: String

    package init(type: String, name: String, path: String) {
        self.type = type
        self.name = name
        self.path = path
    }
}
