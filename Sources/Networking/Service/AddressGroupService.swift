import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct AddressGroupService: NetworkingService {
    typealias R = AddressGroup
    let networking: NetworkingContext

    func loadParts(of rows: inout [AddressGroup], for caller: Principal, in tx: Transaction) throws {
        try SharingStore.load(&rows, for: caller, in: tx)
    }

    /// Bounds the addresses of a group: each is a rule of the firewall on hosts that other projects' guests share.
    private static func check(_ group: AddressGroup) throws {
        guard group.addresses.items.count <= Limits.thing.addresses.most else {
            throw CloudError.overQuota(["address_group_address"])
        }
    }

    func willCreate(
        _ group: inout AddressGroup, _ given: Given<AddressGroup>, by caller: Principal, in tx: Transaction
    ) throws {
        group.addresses.items = Array(Set(group.addresses.items)).sorted { $0.first < $1.first }
        try Self.check(group)
    }

    func willDelete(_ group: AddressGroup, by caller: Principal, in tx: Transaction) throws {
        if try SecurityGroupStore.isNamedByRules(group.id, in: tx) {
            throw CloudError.inUse("AddressGroupInUse", "Address group \(group.id) is in use on one or more security group rules")
        }
    }

    private static let addresses = Form<[IPPrefix]>.object(
        [],
        [
            .required(
                "addresses", \.self,
                Form<[String]>.array(.string(1...64), 1...Limits.thing.addresses.most).mapped { texts in
                    try texts.map { text in
                        guard let prefix = IPPrefix(json: .string(text)) else {
                            throw CloudError.badRequest("Invalid input for addresses. Reason: one is no CIDR.")
                        }
                        return prefix
                    }
                })
        ])

    /// Carries out `add_addresses` and `remove_addresses`.
    func change(
        _ id: ID<AddressGroup.Noun>, _ body: JSONObject, adding: Bool, by caller: Principal
    ) async throws -> AddressGroup {
        // The reference accepts the addresses alone as well as inside the group.
        let addresses = try await Elsewhere.run(ifLong: body.isHeavy) {
            try Self.addresses.parse(.object(body["address_group"]?.object ?? body), .house("address_group"))
        }
        return try await networking.write { tx in
            var group = try authorised(adding ? "add_addresses" : "remove_addresses", id, by: caller, in: tx)
            let asked = Set(addresses)
            let present = Set(group.addresses.items)
            if adding, let known = asked.intersection(present).first {
                throw CloudError.badNetworkingRequest("address_groups", "address \(known) already exists")
            }
            if !adding, let unknown = asked.subtracting(present).first {
                throw CloudError.networking(.notFound, "AddressesNotFound", "Addresses \(unknown) not found in the address group \(id).")
            }
            group.addresses.items = Array(adding ? present.union(asked) : present.subtracting(asked)).sorted { $0.first < $1.first }
            try Self.check(group)
            stamp(&group)
            try store.update(group, in: tx)
            networking.touch([.addresses(id)], in: tx)
            return group
        }
    }
}
