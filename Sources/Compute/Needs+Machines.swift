package import CloudCore
package import HostModel
package import SQL

/// Machines on hosts. Each call may be made again, and then changes nothing more (but a reboot happens each time).
package protocol MachinesNeed: Sendable {
    /// Returns what the host was last asked to make of the machine; nil when it was asked for nothing.
    func wanted(_ id: MachineID, on host: String) async throws -> MachineSpec?
    /// Makes the machine, or changes it into what is wanted. One that is new is off.
    func ensure(_ spec: MachineSpec, on host: String, fence: Fence) async throws
    /// Takes the machine off the host. Without effect when there is none.
    func remove(_ id: MachineID, on host: String, fence: Fence) async throws
    /// Brings the machine to another host: it is off there, or with `isLive` does what it did. It stands still on the host that it
    /// comes from until it is removed there.
    func move(_ spec: MachineSpec, from source: String, to host: String, isLive: Bool, fence: Fence) async throws
    /// Has the machine do what is wanted.
    @discardableResult
    func setPower(_ power: WantedPower, of id: MachineID, on host: String, fence: Fence) async throws -> PowerState
    /// Starts the machine again. The same fence does it once.
    @discardableResult
    func reboot(_ id: MachineID, _ kind: RebootKind, on host: String, fence: Fence) async throws -> PowerState
    func setPassword(_ password: Secret, of id: MachineID, on host: String, fence: Fence) async throws
    /// Copies the root disk.
    ///
    /// - Parameter image: the image that the copy is made for. The same image gives the same copy again.
    func snapshot(_ id: MachineID, for image: ID<Kind.Image>, on host: String, fence: Fence) async throws -> DiskSnapshot
    func removeSnapshot(for image: ID<Kind.Image>, on host: String) async throws
    /// Returns the end of what the guest wrote to its serial port.
    func consoleOutput(_ id: MachineID, on host: String, lines: Int?) async throws -> String
    /// Returns what the machine has used, in the words of the API.
    ///
    /// - Parameter isUniform: whether the words are those since 2.48, the same for every hypervisor. Before, they are libvirt's
    ///   numbers by the devices' names.
    func diagnostics(_ id: MachineID, on host: String, isUniform: Bool) async throws -> JSONObject
}

/// What Compute asks of Images.
package protocol ImagesNeed: Sendable {
    /// - Throws: `CloudError.notFound` for one that is not there or that the caller may not see.
    func image(_ id: ID<Kind.Image>, for principal: Principal) async throws -> ImageFacts
    /// Returns what a machine is made from. Whether the machine's user may have the image was asked before.
    ///
    /// - Throws: `notFound`; `conflict` for an image without data; `badRequest` for one that no machine can be made from.
    func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage
    /// Makes a queued image that a snapshot will fill. The same id again is the same image.
    func ensure(_ image: NewImage, for principal: Principal) async throws
    /// Makes the snapshot's bytes the image's.
    func fill(_ id: ID<Kind.Image>, with snapshot: DiskSnapshot, on host: String, for principal: Principal) async throws
    /// Deletes the image. Without effect when there is none.
    func delete(_ id: ID<Kind.Image>, for principal: Principal) async throws
    /// Returns the ids of a server's backups of a kind (its user's word), newest first.
    func backups(of server: ID<Kind.Server>, kind: String, for principal: Principal) async throws -> [ID<Kind.Image>]
}

/// What Compute asks of Networking. What changes something takes the caller's open transaction.
package protocol NetworkingNeed: Sendable {
    /// Looks up what is wanted, before anything is made.
    ///
    /// - Parameter groups: names or ids of security groups; empty for the project's default group.
    /// - Throws: `CloudError.notFound` for what is not there, `.badRequest` for what cannot be had, `.conflict` for a port or an
    ///   address that is in use (`FixedIpAlreadyInUse`) and for a choice that is not clear (`NetworkAmbiguous`).
    func plan(_ wish: NetworkWish, groups: [String], for principal: Principal) async throws -> NetworkPlan
    /// Returns how many ports the project's quota leaves; nil for any number.
    func freePorts(of project: ID<Kind.Project>, in tx: Transaction) throws -> Int?
    /// Makes or takes the server's ports. Their ids come from the plan, so the same again changes nothing.
    ///
    /// - Returns: the ports in the order of the plan.
    func ensurePorts(_ plan: NetworkPlan, server: ID<Kind.Server>, host: String, in tx: Transaction) throws -> [ServerPort]
    /// Binds the ports to the host where their machine is now.
    func bind(server: ID<Kind.Server>, to host: String, in tx: Transaction) throws
    /// Returns when the host has all of the server's ports: no guest runs before the rules that hold for it.
    ///
    /// - Throws: a transient `CloudError` while the host cannot have them.
    func awaitWiring(of server: ID<Kind.Server>, on host: String) async throws
    /// Removes the ports that were made for the server, and frees those that were given.
    func releasePorts(of server: ID<Kind.Server>, in tx: Transaction) throws
    func releasePort(_ id: ID<Kind.Port>, of server: ID<Kind.Server>, in tx: Transaction) throws
    func ports(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerPort]]
    /// Returns the security groups that each server's ports have, each once.
    func securityGroups(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerSecurityGroup]]
    /// - Throws: `CloudError.notFound`.
    func addSecurityGroup(_ name: String, to server: ID<Kind.Server>, for principal: Principal) async throws
    func removeSecurityGroup(_ name: String, from server: ID<Kind.Server>, for principal: Principal) async throws
}

/// What Compute asks of Placement.
package protocol PlacementNeed: Sendable {
    /// Where it would fit, as of the last commit.
    func candidates(_ request: ResourceRequest) async throws -> [PlacementCandidate]
    /// Why a host is no candidate, in words for operators; empty when it could be one now.
    func refusals(_ request: ResourceRequest, at host: ID<Kind.Provider>, in tx: Transaction) throws -> [String]
    /// Makes the consumer have what the candidate says, instead of what it had.
    ///
    /// - Returns: why not, in words for operators; nil when it is done. A refusal has written nothing.
    func claim(
        _ candidate: PlacementCandidate, consumer: ID<Kind.Consumer>, projectID: ID<Kind.Project>, userID: ID<Kind.User>,
        in tx: Transaction
    ) throws -> String?
    func release(_ consumer: ID<Kind.Consumer>, in tx: Transaction) throws
    /// Gives all that one consumer has to another that has nothing. Without effect when the first has nothing.
    func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, type: String, in tx: Transaction) throws
}

/// What is wanted of one place.
package struct ResourceRequest: Sendable, Hashable, Codable {
    package var vcpus: Int
    package var memoryMiB: Int
    package var diskGiB: Int
    /// Custom amounts of the flavor (`resources:CUSTOM_X`), which may also replace those above.
    package var others: [String: Int]
    package var requiredTraits: [String]
    package var forbiddenTraits: [String]
}

package struct PlacementCandidate: Sendable, Hashable, Codable {
    /// The provider that is the host: its report's id.
    package var hostID: ID<Kind.Provider>
    /// Amounts by provider.
    package var parts: [ID<Kind.Provider>: [String: Int64]]

    package init(hostID: ID<Kind.Provider>, parts: [ID<Kind.Provider>: [String: Int64]]) {
        self.hostID = hostID
        self.parts = parts
    }
}
