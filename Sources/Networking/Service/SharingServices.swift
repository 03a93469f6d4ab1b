import Access
import CloudCore
import HTTPKit
import Resources
import SQL

struct AddressScopeService: NetworkingService {
    typealias R = AddressScope
    let networking: NetworkingContext

    func loadParts(of rows: inout [AddressScope], for caller: Principal, in tx: Transaction) throws {
        try SharingStore.load(&rows, for: caller, in: tx)
    }

    func willCreate(_ scope: inout AddressScope, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        guard IPAddress.Version(rawValue: scope.version) != nil else {
            throw CloudError.badRequest("Invalid input for ip_version. Reason: \(scope.version) is not 4 or 6.")
        }
    }

    func didCreate(_ scope: AddressScope, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        try SharingStore.setForAll(scope, RBACPolicy.shared, scope.isShared, id: networking.world.random.uuid(), in: tx)
    }

    func willUpdate(_ scope: inout AddressScope, from old: AddressScope, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        if old.isShared, !scope.isShared {
            throw CloudError.networking(
                .badRequest, "AddressScopeUpdateError",
                "Unable to update address scope \(scope.id) : Shared address scope can't be unshared.")
        }
    }

    func didUpdate(_ scope: AddressScope, from old: AddressScope, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        if scope.isShared != old.isShared {
            try SharingStore.setForAll(scope, RBACPolicy.shared, scope.isShared, id: networking.world.random.uuid(), in: tx)
        }
    }

    func willDelete(_ scope: AddressScope, by caller: Principal, in tx: Transaction) throws {
        if try tx.row("SELECT 1 FROM networking_subnet_pool WHERE address_scope_id = ? LIMIT 1", scope.id) != nil {
            throw CloudError.inUse(
                "AddressScopeInUse",
                "Unable to complete operation on address scope \(scope.id). There are one or more subnet pools in use on the address scope.")
        }
    }
}

struct RBACPolicyService: NetworkingService {
    typealias R = RBACPolicy
    let networking: NetworkingContext

    /// What can be shared, where it is, and how.
    private static let objects: [(type: String, table: String, actions: [String])] = [
        ("network", "networking_network", [RBACPolicy.shared, RBACPolicy.external]),
        ("security_group", "networking_security_group", [RBACPolicy.shared]),
        ("address_group", "networking_address_group", [RBACPolicy.shared]),
        ("subnetpool", "networking_subnet_pool", [RBACPolicy.shared]),
        ("address_scope", "networking_address_scope", [RBACPolicy.shared]),
    ]

    func targets(of rows: [RBACPolicy], for caller: Principal, in tx: Transaction) throws -> [PolicyTarget] {
        rows.map { policy in
            var target = Self.target(policy)
            target.set("target_tenant", to: policy.target)
            target.set("target_project", to: policy.target)
            return target
        }
    }

    func willCreate(_ policy: inout RBACPolicy, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        guard let object = Self.objects.first(where: { $0.type == policy.objectType }) else {
            throw CloudError.badRequest("Invalid input for object_type. Reason: '\(policy.objectType)' is not in \(Self.objects.map(\.type)).")
        }
        guard object.actions.contains(policy.action) else {
            throw CloudError.badRequest(
                "Invalid input for operation: Invalid action '\(policy.action)' for object type '\(object.type)'. Valid actions: \(object.actions).")
        }
        let owner: String? = try tx.value("SELECT project_id FROM \(object.table) WHERE id = ?", policy.objectID)
        guard let owner, owner == caller.project || networking.isAdmin(caller) else {
            throw CloudError.networking(.notFound, "HTTPNotFound", "The resource could not be found.")
        }
        guard policy.action != RBACPolicy.external || networking.isAdmin(caller) else {
            throw CloudError.networking(.forbidden, "PolicyNotAuthorized", "Only administrators may share a network as an external one.")
        }
        try checkNew(policy, in: tx)
    }

    private func checkNew(_ policy: RBACPolicy, in tx: Transaction) throws {
        let present = try tx.row(
            "SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND target = ? AND id <> ?",
            policy.objectID, policy.action, policy.target, policy.id)
        if present != nil { throw CloudError.inUse("Conflict", "An RBAC policy already exists with those values.") }
    }

    func didCreate(_ policy: RBACPolicy, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        if policy.action == RBACPolicy.external {
            try tx.execute("UPDATE networking_network SET is_external = 1 WHERE id = ?", policy.objectID)
        }
    }

    func willUpdate(_ policy: inout RBACPolicy, from old: RBACPolicy, _ given: JSONObject, by caller: Principal, in tx: Transaction) throws {
        guard policy.target != old.target else { return }
        try checkNew(policy, in: tx)
        try checkUnused(old, in: tx)
    }

    func willDelete(_ policy: RBACPolicy, by caller: Principal, in tx: Transaction) throws { try checkUnused(policy, in: tx) }

    func didDelete(_ policy: RBACPolicy, by caller: Principal, in tx: Transaction) throws {
        guard policy.action == RBACPolicy.external,
            try tx.row("SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ?", policy.objectID, policy.action) == nil
        else { return }
        try tx.execute("UPDATE networking_network SET is_external = 0 WHERE id = ?", policy.objectID)
    }

    /// What a project uses stays shared with it.
    private func checkUnused(_ policy: RBACPolicy, in tx: Transaction) throws {
        guard policy.objectType == "network" || policy.objectType == "security_group" else { return }
        let ports =
            policy.objectType == "network"
            ? "network_id = ?" : "id IN (SELECT port_id FROM networking_port_security_group WHERE group_id = ?)"
        let owner: String? = try tx.value(
            "SELECT project_id FROM \(policy.objectType == "network" ? "networking_network" : "networking_security_group") WHERE id = ?",
            policy.objectID)
        let gateways = policy.action == RBACPolicy.external ? "device_owner = '\(Port.routerGateway)'" : "project_id NOT IN ('', ?)"
        var arguments: [SQLValue] = [.text(policy.objectID)]
        if policy.action != RBACPolicy.external { arguments.append(.text(owner ?? "")) }
        var sql = "SELECT 1 FROM networking_port WHERE \(ports) AND \(gateways)"
        if policy.target == RBACPolicy.everybody {
            sql += " AND project_id NOT IN (SELECT target FROM networking_rbac_policy WHERE object_id = ? AND action = ?)"
            arguments += [.text(policy.objectID), .text(policy.action)]
        } else {
            sql += " AND project_id = ? AND NOT EXISTS (SELECT 1 FROM networking_rbac_policy WHERE object_id = ? AND action = ? AND target = '*')"
            arguments += [.text(policy.target), .text(policy.objectID), .text(policy.action)]
        }
        if try !tx.rows(sql + " LIMIT 1", arguments: arguments).isEmpty {
            throw CloudError.inUse(
                "RbacPolicyInUse",
                "RBAC policy on object \(policy.objectID) cannot be removed because other objects depend on it.")
        }
    }
}
