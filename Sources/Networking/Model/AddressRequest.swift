import CloudCore
import HTTPKit

/// A request for one of a port's addresses: the subnet, the address, or both.
struct AddressRequest: Sendable, Hashable {
    var subnetID: ID<Subnet.Noun>?
    var address: IPAddress?

    /// Returns the form of a list of requests; null becomes nil.
    static func list(_ most: Int = 10_000) -> Form<[AddressRequest]?> {
        Form(.list(most)) { json, _ in json.isNull ? nil : try read(json) }
    }

    /// Reads the list of requests.
    ///
    /// - Throws: `CloudError.badRequest` if `fixed_ips` or `external_fixed_ips` is malformed.
    private static func read(_ json: JSON) throws -> [AddressRequest] {
        guard let array = json.array else { throw wrong("'\(json.text.prefix(100))' is not a list") }
        var requests: [AddressRequest] = []
        var known: Set<IPAddress> = []
        for element in array {
            guard let object = element.object, object.keys.allSatisfy({ ["subnet_id", "ip_address"].contains($0) }) else {
                throw wrong("'\(element.text.prefix(100))' is not a fixed IP")
            }
            var request = AddressRequest()
            if let given = object["ip_address"] {
                guard let address = IPAddress(json: given) else { throw wrong("'\(given.text.prefix(64))' is not a valid IP address") }
                request.address = address
            }
            if let given = object["subnet_id"] {
                guard let id = given.string, id.utf8.count == 36 else { throw wrong("'\(given.text.prefix(64))' is not a valid UUID") }
                request.subnetID = ID(id)
            }
            guard request.address != nil || request.subnetID != nil else {
                throw CloudError.invalidInput("IP allocation requires subnet_id or ip_address")
            }
            if let address = request.address, !known.insert(address).inserted {
                throw wrong("Duplicate IP address '\(element.text.prefix(100))'")
            }
            requests.append(request)
        }
        return requests
    }

    private static func wrong(_ what: String) -> CloudError { .badRequest("Invalid input for fixed_ips. Reason: \(what).") }
}
