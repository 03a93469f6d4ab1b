import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct SecurityGroupService: NetworkingService {
    typealias R = SecurityGroup
    let networking: NetworkingContext

    static let defaultName = "default"
    private static let defaultDescription = "Default security group"

    func loadParts(of rows: inout [SecurityGroup], for caller: Principal, in tx: Transaction) throws {
        try SharingStore.load(&rows, for: caller, in: tx)
        let rules = try SecurityGroupStore.rules(of: rows.map(\.id.text), in: tx)
        for at in rows.indices {
            rows[at].rules = rules[rows[at].id.text] ?? []
            for rule in rows[at].rules.indices { rows[at].rules[rule].isOfDefaultGroup = rows[at].isDefault }
        }
    }

    /// A project's default group is there from its first look at its groups on.
    func willLook(by caller: Principal) async throws {
        guard !caller.project.isEmpty else { return }
        let project = caller.project
        let isThere = try await networking.read { tx in try SecurityGroupStore.defaultGroup(of: project, in: tx) != nil }
        if !isThere { try await networking.write { tx in _ = try ensureDefault(of: project, in: tx) } }
    }

    /// The group that ports of a project have when they name none.
    func ensureDefault(of project: String, in tx: Transaction) throws -> ID<SecurityGroup.Noun> {
        if let id = try SecurityGroupStore.defaultGroup(of: project, in: tx) { return id }
        var group = SecurityGroup()
        group.id = networking.newID()
        group.name = Self.defaultName
        group.isDefault = true
        group.standard.description = Self.defaultDescription
        group.standard.projectID = project
        (group.standard.createdAt, group.standard.updatedAt) = (networking.world.now, networking.world.now)
        try store.insert(group, in: tx)
        try addRules(to: group, in: tx)
        return group.id
    }

    func willCreate(_ group: inout SecurityGroup, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        try Self.checkName(group.name)
        _ = try ensureDefault(of: group.projectID, in: tx)
    }

    func didCreate(_ group: SecurityGroup, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws { try addRules(to: group, in: tx) }

    private static func checkName(_ name: String) throws {
        if name.lowercased() == defaultName {
            throw CloudError.inUse("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
        }
    }

    /// A new group has the rules that the operator wants groups to begin with.
    private func addRules(to group: SecurityGroup, in tx: Transaction) throws {
        var query = ListQuery()
        query.filter(group.isDefault ? "used_in_default_sg" : "used_in_non_default_sg", .equals, true)
        for template in try ResourceStore<DefaultSecurityGroupRule>().all(query, in: tx) {
            var rule = SecurityGroupRule()
            rule.id = networking.newID()
            rule.groupID = group.id
            rule.match = template.match
            if rule.match.remoteGroup == DefaultSecurityGroupRule.parent { rule.match.remoteGroup = group.id.text }
            rule.standard = group.standard
            rule.standard.tags = []
            rule.standard.description = ""
            try ResourceStore<SecurityGroupRule>().insert(rule, in: tx)
        }
    }

    func willUpdate(_ group: inout SecurityGroup, from old: SecurityGroup, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        if group.name != old.name {
            if old.isDefault {
                throw CloudError.inUse("SecurityGroupCannotUpdateDefault", "Updating default security group not allowed.")
            }
            try Self.checkName(group.name)
        }
        if group.isStateful != old.isStateful, try SecurityGroupStore.isUsed(group.id, in: tx) {
            throw CloudError.inUse("SecurityGroupInUse", "Security Group \(group.id) in use.")
        }
    }

    func willDelete(_ group: SecurityGroup, by caller: Principal, in tx: Transaction) throws {
        if group.isDefault, !networking.isAdmin(caller) {
            throw CloudError.inUse("SecurityGroupCannotRemoveDefault", "Insufficient rights for removing default security group.")
        }
        if try SecurityGroupStore.isUsed(group.id, in: tx) {
            throw CloudError.inUse("SecurityGroupInUse", "Security Group \(group.id) in use.")
        }
        try tx.execute("DELETE FROM networking_security_group_rule WHERE remote_group_id = ? OR security_group_id = ?", group.id, group.id)
    }

    /// - Throws: `SecurityGroupNotFound` for a group that a port of the project may not have.
    func checkUsable(_ ids: [String], for project: String, by caller: Principal, in tx: Transaction) throws {
        let usable = try SecurityGroupStore.usable(ids, for: project, in: tx)
        for id in ids where !usable.contains(id) {
            if networking.isAdmin(caller), try store.find(ID(id), in: tx) != nil { continue }
            throw CloudError.networking(.notFound, "SecurityGroupNotFound", "Security group \(id) does not exist")
        }
    }
}

struct SecurityGroupRuleService: NetworkingService {
    typealias R = SecurityGroupRule
    let networking: NetworkingContext

    private var groups: SecurityGroupService { SecurityGroupService(networking: networking) }

    func targets(of rows: [SecurityGroupRule], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget] {
        let owners = try SecurityGroupStore.owners(of: rows.map(\.groupID.text), in: tx)
        return rows.map { rule in
            var target = Self.target(rule)
            if let owner = owners[rule.groupID.text] { target.set("security_group:project_id", to: owner.project) }
            return target
        }
    }

    func willLook(by caller: Principal) async throws { try await groups.willLook(by: caller) }

    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue]) {
        ("security_group_id IN (SELECT id FROM networking_security_group WHERE project_id = ?)", [.text(caller.project)])
    }

    func loadParts(of rows: inout [SecurityGroupRule], for caller: Principal, in tx: Transaction) throws {
        let owners = try SecurityGroupStore.owners(of: rows.map(\.groupID.text), in: tx)
        for at in rows.indices { rows[at].isOfDefaultGroup = owners[rows[at].groupID.text]?.isDefault ?? false }
    }

    func filter(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal) throws {
        let sql = "security_group_id IN (SELECT id FROM networking_security_group WHERE is_default = 1)"
        list.raw.append((Bool.isTrue(values) ? sql : "NOT (\(sql))", []))
    }

    func prepare(_ rule: inout SecurityGroupRule, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        let owner = try SecurityGroupStore.owners(of: [rule.groupID.text], in: tx)[rule.groupID.text]
        guard let owner, owner.project == caller.project || networking.seesAll(caller) else {
            throw CloudError.networking(.notFound, "SecurityGroupNotFound", "Security group \(rule.groupID) does not exist")
        }
        if given["project_id"] == nil { rule.standard.projectID = owner.project }
        if rule.match.ethertype.isEmpty { rule.match.ethertype = "IPv4" }
    }

    func willCreate(_ rule: inout SecurityGroupRule, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        rule.match = try RuleProtocol.checked(rule.match)
        if let remote = rule.match.remoteGroup { try groups.checkUsable([remote], for: rule.projectID, by: caller, in: tx) }
        if let remote = rule.match.remoteAddressGroup {
            guard try AddressGroupService(networking: networking).isUsable(ID(remote), by: caller, in: tx) else {
                throw CloudError.missing(AddressGroup.self, remote)
            }
        }
        for other in try SecurityGroupStore.rules(of: [rule.groupID.text], in: tx)[rule.groupID.text] ?? [] where other.match == rule.match {
            throw CloudError.inUse("SecurityGroupRuleExists", "Security group rule already exists. Rule id is \(other.id).")
        }
        try SecurityGroupStore.touch(rule.groupID, at: networking.world.now, in: tx)
    }

    func willDelete(_ rule: SecurityGroupRule, by caller: Principal, in tx: Transaction) throws {
        try SecurityGroupStore.touch(rule.groupID, at: networking.world.now, in: tx)
    }
}

struct DefaultSecurityGroupRuleService: NetworkingService {
    typealias R = DefaultSecurityGroupRule
    let networking: NetworkingContext

    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue]) { ("1 = 1", []) }

    func willCreate(_ rule: inout DefaultSecurityGroupRule, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        rule.match = try RuleProtocol.checked(rule.match)
        for other in try store.all(in: tx) where other.match == rule.match && other.isForDefault == rule.isForDefault {
            throw CloudError.inUse(
                "DefaultSecurityGroupRuleExists", "Default Security group rule already exists. Rule id is \(other.id).")
        }
    }
}

struct AddressGroupService: NetworkingService {
    typealias R = AddressGroup
    let networking: NetworkingContext

    func loadParts(of rows: inout [AddressGroup], for caller: Principal, in tx: Transaction) throws {
        try SharingStore.load(&rows, for: caller, in: tx)
    }

    func isUsable(_ id: ID<AddressGroup.Noun>, by caller: Principal, in tx: Transaction) throws -> Bool {
        guard let group = try store.find(id, in: tx) else { return false }
        return try networking.seesAll(caller) || group.projectID == caller.project
            || SharingStore.shared([id.text], for: caller.project, in: tx).contains(id.text)
    }

    func willCreate(_ group: inout AddressGroup, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        group.addresses.items = Array(Set(group.addresses.items)).sorted { $0.first < $1.first }
    }

    func willDelete(_ group: AddressGroup, by caller: Principal, in tx: Transaction) throws {
        if try tx.row("SELECT 1 FROM networking_security_group_rule WHERE remote_address_group_id = ?", group.id) != nil {
            throw CloudError.inUse("AddressGroupInUse", "Address group \(group.id) is in use on one or more security group rules")
        }
    }

    /// `add_addresses` and `remove_addresses`.
    func change(_ id: ID<AddressGroup.Noun>, _ body: JSONObject, adding: Bool, by caller: Principal) async throws -> AddressGroup {
        let shape = Shape.object([.init("addresses", .array(.string(1...64), 1...10_000), required: true)])
        // The reference takes the addresses alone as well as within the group.
        let given = body["address_group"]?.object ?? body
        try shape.check(.object(given), at: "address_group")
        guard let addresses = given["addresses"].flatMap(Listed<IPPrefix>.init(json:)) else {
            throw CloudError.badRequest("Invalid input for addresses. Reason: one is no CIDR.")
        }
        return try await networking.write { tx in
            var group = try authorised(adding ? "add_addresses" : "remove_addresses", id, by: caller, in: tx)
            let asked = Set(addresses.items)
            let present = Set(group.addresses.items)
            if adding, let known = asked.intersection(present).first {
                throw CloudError.badNetworkingRequest("address_groups", "address \(known) already exists")
            }
            if !adding, let unknown = asked.subtracting(present).first {
                throw CloudError.networking(.notFound, "AddressesNotFound", "Addresses \(unknown) not found in the address group \(id).")
            }
            group.addresses.items = Array(adding ? present.union(asked) : present.subtracting(asked)).sorted { $0.first < $1.first }
            group.standard.revision += 1
            group.standard.updatedAt = networking.world.now
            try store.update(group, in: tx)
            return group
        }
    }
}
