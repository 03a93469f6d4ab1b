import CloudCore

/// How Networking's refusals are told. The two calls that ask it for ports give one case different statuses, as the reference does.
enum NetworkRefusal {
    /// While a server is made: what its body names and is not there is a fault of the body.
    static func whileCreating<Value>(_ body: () async throws -> Value) async throws -> Value {
        do {
            return try await body()
        } catch let error as CloudError where error.kind == .notFound || error.code == "FixedIpAlreadyInUse" {
            throw error.told(as: .badRequest)
        }
    }

    /// While an interface is attached.
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
