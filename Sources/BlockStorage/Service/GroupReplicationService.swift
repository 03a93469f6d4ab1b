import Access
import CloudCore
import SQL

/// The replication of groups. No pool is replicated, so every action is refused as the reference refuses it.
struct GroupReplicationService: Sendable {
    let groups: GroupService
    private let types = GroupTypeStore()

    /// An action on the replication of a group.
    enum Change: Sendable {
        case enable, disable, failover

        var action: Action {
            switch self {
            case .enable: .enableReplication
            case .disable: .disableReplication
            case .failover: .failoverReplication
            }
        }

        /// The name of the action in errors.
        var word: String { self == .failover ? "failover" : self == .enable ? "enable" : "disable" }

        /// The states of a group in which the reference allows the action, and those of its replication.
        var states: [GroupStatus] { self == .disable ? [.available, .error] : [.available] }
        var replication: [String] {
            switch self {
            case .enable: ["disabled", "enabled"]
            case .disable: ["enabled", "error"]
            case .failover: ["enabled", "failed-over"]
            }
        }
    }

    /// The state of every group's replication.
    static let status = "disabled"

    /// Refuses a change of a group's replication.
    func refuse(_ change: Change, of id: ID<VolumeGroup>, by caller: Caller) async throws {
        try await groups.context.read { tx -> Void in
            let group = try require(id, change.action, by: caller, in: tx)
            let end = "Cannot \(change.word) replication."
            guard change.states.contains(group.status) else {
                throw VolumeRefusal.group(
                    "Group \(id) status must be \(Self.list(change.states.map(\.rawValue))), but current status is: "
                        + "\(group.status.rawValue). \(end)")
            }
            guard change.replication.contains(Self.status) else {
                throw VolumeRefusal.group(
                    "Group \(id) replication status must be \(Self.list(change.replication)), but current status is: "
                        + "\(Self.status). \(end)")
            }
            guard let volume = try groups.volumes.volumes.list(inGroup: id, in: tx).first else {
                throw VolumeRefusal.group("Group \(id) has no pool that is replicated. \(end)")
            }
            throw VolumeRefusal.volume(
                "Volume \(volume.id) replication status must be \(Self.list(change.replication)), but current status "
                    + "is: None. \(end)")
        }
    }

    /// Checks that a group has replication at all. No pool has a target.
    func requireTargets(of id: ID<VolumeGroup>, by caller: Caller) async throws {
        try await groups.context.read { tx in
            _ = try require(id, .listReplicationTargets, by: caller, in: tx)
        }
    }

    /// Returns a group whose types ask for replication.
    private func require(
        _ id: ID<VolumeGroup>, _ action: Action, by caller: Caller, in tx: Transaction
    ) throws -> VolumeGroup {
        let group = try groups.rules.require(id, .groups, by: caller, in: tx)
        try caller.require(action, of: group.projectID)
        let demands = try types.find(group.typeID, in: tx)?.demands
        let names = ["group_replication_enabled", "consistent_group_replication_enabled"]
        guard names.contains(where: { demands?.says($0) == true }) else {
            throw CloudError.badRequest("Invalid group type: Group \(id) is not a replication group type.")
        }
        let ids = try groups.groups.types(of: [id], in: tx)[id] ?? []
        for type in try groups.volumes.types.find(ids, in: tx) where !type.says("replication_enabled") {
            throw VolumeRefusal.type(
                "Volume type \(type.id) does not have 'replication_enabled' spec key set to '<is> True'.")
        }
        return group
    }

    private static func list(_ words: [String]) -> String {
        "[" + words.map { "'\($0)'" }.joined(separator: ", ") + "]"
    }
}
