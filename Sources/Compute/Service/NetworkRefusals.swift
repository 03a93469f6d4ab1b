import CloudCore

/// The translation of Networking's errors. As in the reference, the same error has one status when a server is created
/// and another one when an interface is attached.
enum NetworkRefusal {
    /// Runs the body while a server is created. A missing resource and an address in use (`FixedIpAlreadyInUse`) become
    /// `badRequest`, because the request's body names them.
    static func whileCreating<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as CloudError where error.kind == .notFound || error.code == "FixedIpAlreadyInUse" {
            throw error.told(as: .badRequest)
        }
    }

    /// Runs the body while an interface is attached. Errors about the choice of a network become `badRequest`, and a
    /// full quota becomes `quotaExceeded`.
    static func whileAttaching<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as CloudError {
            switch error.code {
            case "NetworkAmbiguous", "IpAddressGenerationFailure": throw error.told(as: .badRequest)
            case "OverQuota": throw error.told(as: .quotaExceeded)
            default: throw error
            }
        }
    }
}

extension CloudError {
    fileprivate func told(as kind: Kind) -> CloudError {
        var error = self
        error.kind = kind
        return error
    }
}
