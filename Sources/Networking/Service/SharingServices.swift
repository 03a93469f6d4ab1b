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

    func willCreate(
        _ scope: inout AddressScope, _ given: Given<AddressScope>, by caller: Principal, in tx: Transaction
    ) throws {
        guard IPAddress.Version(rawValue: scope.version) != nil else {
            throw CloudError.badRequest("Invalid input for ip_version. Reason: \(scope.version) is not 4 or 6.")
        }
    }

    func didCreate(
        _ scope: AddressScope, _ given: Given<AddressScope>, by caller: Principal, in tx: Transaction
    ) throws {
        try SharingStore.setForAll(scope, RBACPolicy.shared, scope.isShared, id: networking.world.random.uuid(), in: tx)
    }

    func willUpdate(_ scope: inout AddressScope, from old: AddressScope, _ given: Given<AddressScope>, by caller: Principal, in tx: Transaction) throws {
        if old.isShared, !scope.isShared {
            throw CloudError.networking(
                .badRequest, "AddressScopeUpdateError",
                "Unable to update address scope \(scope.id) : Shared address scope can't be unshared.")
        }
    }

    func didUpdate(_ scope: AddressScope, from old: AddressScope, _ given: Given<AddressScope>, by caller: Principal, in tx: Transaction) throws {
        if scope.isShared != old.isShared {
            try SharingStore.setForAll(scope, RBACPolicy.shared, scope.isShared, id: networking.world.random.uuid(), in: tx)
        }
    }

    func willDelete(_ scope: AddressScope, by caller: Principal, in tx: Transaction) throws {
        if try SubnetPoolStore.hasPools(in: scope.id, tx) {
            throw CloudError.inUse(
                "AddressScopeInUse",
                "Unable to complete operation on address scope \(scope.id). There are one or more subnet pools in use on the address scope.")
        }
    }
}

struct RBACPolicyService: NetworkingService {
    typealias R = RBACPolicy
    let networking: NetworkingContext

    static func target(_ policy: RBACPolicy) -> PolicyTarget {
        [
            "project_id": policy.projectID, "tenant_id": policy.projectID, "target_tenant": policy.target,
            "target_project": policy.target,
        ]
    }

    func willCreate(
        _ policy: inout RBACPolicy, _ given: Given<RBACPolicy>, by caller: Principal, in tx: Transaction
    ) throws {
        guard let kind = SharedKind.all.first(where: { $0.type == policy.objectType }) else {
            throw CloudError.badRequest("Invalid input for object_type. Reason: '\(policy.objectType)' is not in \(SharedKind.all.map(\.type)).")
        }
        guard kind.actions.contains(policy.action) else {
            throw CloudError.badRequest(
                "Invalid input for operation: Invalid action '\(policy.action)' for object type '\(kind.type)'. Valid actions: \(kind.actions).")
        }
        let owner = try kind.owner(of: policy.objectID, seenBy: caller.project, all: networking.seesAll(caller), in: tx)
        guard let owner else {
            throw CloudError.networking(.notFound, "HTTPNotFound", "The resource could not be found.")
        }
        guard owner == caller.project || networking.isAdmin(caller) else {
            throw CloudError.invalidInput("Only administrators share what is not their project's own")
        }
        try checkScope(policy, in: tx)
        try checkNew(policy, in: tx)
    }

    /// Refuses to share a pool with a project that does not see the pool's address scope.
    private func checkScope(_ policy: RBACPolicy, in tx: Transaction) throws {
        guard policy.objectType == SubnetPool.objectType,
            let scope = try SubnetPoolStore.scope(of: policy.objectID, in: tx)
        else { return }
        if try SharingStore.shared([scope], for: policy.target, in: tx).isEmpty {
            throw CloudError.invalidInput(
                "Failed to create RBAC policy on object \(policy.objectID) because target project doesn't have access to associated address scope")
        }
    }

    private func checkNew(_ policy: RBACPolicy, in tx: Transaction) throws {
        if try SharingStore.has(policy, in: tx) { throw CloudError.inUse("Conflict", "An RBAC policy already exists with those values.") }
    }

    func didCreate(_ policy: RBACPolicy, _ given: Given<RBACPolicy>, by caller: Principal, in tx: Transaction) throws {
        if policy.action == RBACPolicy.external {
            try NetworkStore.makeExternal(policy.objectID, in: tx)
            networking.touch([.network(ID(policy.objectID))], in: tx)
        }
        try touch(policy, in: tx)
    }

    func willUpdate(_ policy: inout RBACPolicy, from old: RBACPolicy, _ given: Given<RBACPolicy>, by caller: Principal, in tx: Transaction) throws {
        guard policy.target != old.target else { return }
        try checkNew(policy, in: tx)
        try checkUnused(old, from: policy.target, in: tx)
    }

    func didUpdate(
        _ policy: RBACPolicy, from old: RBACPolicy, _ given: Given<RBACPolicy>, by caller: Principal, in tx: Transaction
    ) throws {
        try touch(policy, in: tx)
    }

    func willDelete(_ policy: RBACPolicy, by caller: Principal, in tx: Transaction) throws {
        try checkUnused(policy, from: nil, in: tx)
    }

    func didDelete(_ policy: RBACPolicy, by caller: Principal, in tx: Transaction) throws {
        try touch(policy, in: tx)
        guard policy.action == RBACPolicy.external,
            try !SharingStore.hasAny(policy.action, on: policy.objectID, in: tx)
        else { return }
        try NetworkStore.makeInternal(policy.objectID, in: tx)
        networking.touch([.network(ID(policy.objectID))], in: tx)
    }

    private func touch(_ policy: RBACPolicy, in tx: Transaction) throws {
        guard policy.objectType == Network.objectType else { return }
        try SharingStore.touch(network: policy.objectID, at: networking.world.now, in: tx)
    }

    /// Throws if a project still uses the resource by this policy, or if the network is the default external one.
    private func checkUnused(_ policy: RBACPolicy, from new: String?, in tx: Transaction) throws {
        func refuse(_ why: String) -> CloudError {
            CloudError.inUse(
                "RbacPolicyInUse",
                "RBAC policy on object \(policy.objectID) cannot be removed because other objects depend on it.\nDetails: \(why)")
        }
        if policy.action == RBACPolicy.external, policy.target == RBACPolicy.everybody,
            try NetworkStore.isDefault(policy.objectID, in: tx)
        {
            throw refuse("The default external network is everybody's.")
        }
        if try SharedKind.all.first(where: { $0.type == policy.objectType })?.isNeeded(policy, from: new, in: tx) ?? false {
            throw refuse("Another project uses it.")
        }
    }
}
