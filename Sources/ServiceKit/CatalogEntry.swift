/// The entry of a service in the catalog.
package struct CatalogEntry: Sendable, Hashable {
    /// The service's type, such as `compute`.
    package let type: String
    /// The service's usual name. Some clients find a service by its name.
    package let name: String
    /// The service's path below the cloud's URL.
    package let path: String

    package init(type: String, name: String, path: String) {
        self.type = type
        self.name = name
        self.path = path
    }
}
