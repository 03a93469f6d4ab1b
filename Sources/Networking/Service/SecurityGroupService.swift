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

    /// Creates a project's default group when its groups are first listed, by the project or by an administrator who
    /// filters by it.
    func willLook(_ query: Query, by caller: Principal) async throws {
        let project = PageRequest.project(query) ?? caller.project
        guard !project.isEmpty, project.utf8.count <= 255, project == caller.project || networking.isAdmin(caller) else { return }
        let isThere = try await networking.read { tx in try SecurityGroupStore.defaultGroup(of: project, in: tx) != nil }
        if !isThere { try await networking.write { tx in _ = try ensureDefault(of: project, in: tx) } }
    }

    /// Returns the default group of a project, and creates it if it does not exist. Ports have it if they name no
    /// groups.
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
        try addRules(templates(for: group, in: tx), to: group, in: tx)
        return group.id
    }

    func willCreate(_ group: inout SecurityGroup, _ given: Given<SecurityGroup>, by caller: Principal, in tx: Transaction) throws {
        try Self.checkName(group.name)
        _ = try ensureDefault(of: group.projectID, in: tx)
    }

    func didCreate(_ group: SecurityGroup, _ given: Given<SecurityGroup>, by caller: Principal, in tx: Transaction) throws {
        let templates = try templates(for: group, in: tx)
        try QuotaStore.claim("security_group_rule", templates.count, for: group.projectID, in: tx)
        try addRules(templates, to: group, in: tx)
    }

    private static func checkName(_ name: String) throws {
        if name.lowercased() == defaultName {
            throw CloudError.inUse("SecurityGroupDefaultAlreadyExists", "Default security group already exists.")
        }
    }

    /// Returns the rules with which the operator wants such a group to begin.
    private func templates(for group: SecurityGroup, in tx: Transaction) throws -> [DefaultSecurityGroupRule] {
        var query = ListQuery()
        query.filter(group.isDefault ? "used_in_default_sg" : "used_in_non_default_sg", .equals, true)
        return try ResourceStore<DefaultSecurityGroupRule>().all(query, in: tx)
    }

    private func addRules(_ templates: [DefaultSecurityGroupRule], to group: SecurityGroup, in tx: Transaction) throws {
        for template in templates {
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

    func willUpdate(_ group: inout SecurityGroup, from old: SecurityGroup, _ given: Given<SecurityGroup>, by caller: Principal, in tx: Transaction) throws {
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
        networking.touch(Set(try SecurityGroupStore.groups(naming: group.id, in: tx).map(Touch.rules)), in: tx)
        try SecurityGroupStore.deleteRules(concerning: group.id, in: tx)
    }

    /// Throws unless the project's ports may have all of the groups.
    ///
    /// - Throws: `SecurityGroupNotFound` for a group that a port of the project may not have.
    func checkUsable(_ ids: [String], for project: String, by caller: Principal, in tx: Transaction) throws {
        let usable = try SecurityGroupStore.usable(ids, for: project, in: tx)
        for id in ids where !usable.contains(id) {
            if networking.isAdmin(caller), try store.find(ID(id), in: tx) != nil { continue }
            throw CloudError.networking(.notFound, "SecurityGroupNotFound", "Security group \(id) does not exist")
        }
    }

    /// Throws if stateful and stateless groups would meet on one port: its connections are either tracked or not.
    func checkAlike(_ ids: [String], in tx: Transaction) throws {
        if try SecurityGroupStore.kinds(of: ids, in: tx).count > 1 {
            throw CloudError.inUse(
                "SecurityGroupConflict",
                "Error Cannot apply both stateful and stateless security groups on the same port at the same time while attempting the operation.")
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

    func willLook(_ query: Query, by caller: Principal) async throws { try await groups.willLook(query, by: caller) }

    func visible(to caller: Principal) -> (sql: String, arguments: [SQLValue]) {
        SecurityGroupStore.rules(ofGroupsOf: caller.project)
    }

    func loadParts(of rows: inout [SecurityGroupRule], for caller: Principal, in tx: Transaction) throws {
        let owners = try SecurityGroupStore.owners(of: rows.map(\.groupID.text), in: tx)
        for at in rows.indices { rows[at].isOfDefaultGroup = owners[rows[at].groupID.text]?.isDefault ?? false }
    }

    func filter(_ name: String, _ values: [String], _ list: inout ListQuery, by caller: Principal, in tx: Transaction) throws {
        if name == "normalized_cidr" {
            let wanted = Set(values.compactMap { IPPrefix($0, alone: true) })
            let prefixes = try SecurityGroupStore.prefixes(of: wanted, visible: networking.seesAll(caller) ? nil : visible(to: caller), in: tx)
            return list.filter("remote_ip_prefix", in: prefixes)
        }
        let (sql, arguments) = SecurityGroupStore.rulesOfDefaultGroups
        list.raw.append((Bool.isTrue(values) ? sql : "NOT (\(sql))", arguments))
    }

    func prepare(_ rule: inout SecurityGroupRule, _ given: Given<SecurityGroupRule>, by caller: Principal, in tx: Transaction) throws {
        guard let group = try groups.find(rule.groupID, by: caller, in: tx) else {
            throw CloudError.networking(.notFound, "SecurityGroupNotFound", "Security group \(rule.groupID) does not exist")
        }
        if !given.has(\.standard.projectID) { rule.standard.projectID = group.projectID }
        if rule.match.ethertype.isEmpty { rule.match.ethertype = "IPv4" }
    }

    /// Brings all rules of a request into the canonical form, and refuses a rule that allows the same traffic as
    /// another.
    func willCreate(together rules: inout [SecurityGroupRule], by caller: Principal, in tx: Transaction) throws {
        for at in rules.indices { rules[at].match = try RuleProtocol.checked(rules[at].match) }
        guard let group = rules.first?.groupID else { return }
        guard rules.allSatisfy({ $0.groupID == group }) else {
            throw CloudError.networking(
                .badRequest, "SecurityGroupNotSingleGroupRules", "Only allowed to update rules for one security profile at a time")
        }
        guard Set(rules.map(\.projectID)).count == 1 else {
            throw CloudError.networking(
                .badRequest, "SecurityGroupRulesNotSingleProject", "Multiple project_ids in bulk security group rule create not allowed")
        }
        let new = Set(rules.map(\.match.meaning))
        if new.count < rules.count {
            throw CloudError.inUse("DuplicateSecurityGroupRuleInPost", "Duplicate Security Group Rule in POST.")
        }
        for other in try SecurityGroupStore.rules(of: [group.text], in: tx)[group.text] ?? [] where new.contains(other.match.meaning) {
            throw CloudError.inUse("SecurityGroupRuleExists", "Security group rule already exists. Rule id is \(other.id).")
        }
    }

    func willCreate(_ rule: inout SecurityGroupRule, _ given: Given<SecurityGroupRule>, by caller: Principal, in tx: Transaction) throws {
        if let remote = rule.match.remoteGroup { try groups.checkUsable([remote], for: rule.projectID, by: caller, in: tx) }
        if let remote = rule.match.remoteAddressGroup {
            _ = try AddressGroupService(networking: networking).require(ID(remote), by: caller, in: tx)
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

    /// Refuses two rules of the same meaning if a group would begin with both.
    func willCreate(together rules: inout [DefaultSecurityGroupRule], by caller: Principal, in tx: Transaction) throws {
        var known = try store.all(in: tx)
        let stored = known.count
        if stored + rules.count > Self.most { throw CloudError.overQuota(["default_security_group_rule"]) }
        for at in rules.indices {
            rules[at].match = try RuleProtocol.checked(rules[at].match)
            let rule = rules[at]
            let twin = known.firstIndex { other in
                other.match.meaning == rule.match.meaning
                    && (other.isForDefault && rule.isForDefault || other.isForOthers && rule.isForOthers)
            }
            if let twin {
                throw twin < stored
                    ? CloudError.inUse(
                        "DefaultSecurityGroupRuleExists", "Default Security group rule already exists. Rule id is \(known[twin].id).")
                    : CloudError.inUse("DuplicateDefaultSgRuleInPost", "Duplicate Default Security Group Rule in POST.")
            }
            known.append(rule)
        }
    }

    /// As many default rules as the default quota of rules.
    private static let most = Limits.owner.defaultRules.most
}
