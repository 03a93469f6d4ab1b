import CloudCore

/// Placement's error codes, shown as `errors[].code` from microversion 1.23 on.
enum PlacementCode {
    static let undefined = "placement.undefined_code"
    static let inventoryInUse = "placement.inventory.inuse"
    static let concurrentUpdate = "placement.concurrent_update"
    static let duplicateName = "placement.duplicate_name"
    static let providerInUse = "placement.resource_provider.inuse"
    static let cannotDeleteParent = "placement.resource_provider.cannot_delete_parent"
    static let providerNotFound = "placement.resource_provider.not_found"
    static let duplicateKey = "placement.query.duplicate_key"
    static let badValue = "placement.query.bad_value"
    static let missingValue = "placement.query.missing_value"
}

/// An error of the stores, before a verb of the API translates it for its caller.
enum Refusal: Error, Sendable {
    /// The resource class does not exist.
    case unknownClass(String)
    case unknownTraits([String])
    case noInventory(resourceClass: String)
    /// The inventory still has allocations, or it does not allow the requested amount.
    case inUse(String)
    case invalid(String)
    /// Another caller has changed the row in between.
    case concurrent(String)

    var message: String {
        switch self {
        case .unknownClass(let name): "No such resource class \(name)."
        case .unknownTraits(let names): "No such trait(s): \(names.joined(separator: ", "))."
        case .noInventory(let name): "No inventory of class \(name) found."
        case .inUse(let text), .invalid(let text), .concurrent(let text): text
        }
    }

    static let changed = Refusal.concurrent("It was changed by somebody else in between. Please look at it again and retry.")

    static func inUse(_ classes: [String], of provider: ID<Kind.Provider>) -> Refusal {
        .inUse("Inventory for '\(classes.joined(separator: ", "))' on resource provider '\(provider)' in use.")
    }
}

extension CloudError {
    static func conflict(_ message: String, code: String) -> CloudError { CloudError(.conflict, message, code: code) }
    static func badRequest(_ message: String, code: String) -> CloudError { CloudError(.badRequest, message, code: code) }
    static func noProvider(_ id: ID<CloudCore.Kind.Provider>) -> CloudError { .notFound("No resource provider with uuid \(id) found.") }
}
