package import CloudCore
package import HostModel
package import SQL

/// Machines on hosts. Each call may be repeated with the same fence, and then changes nothing more.
package protocol MachinesNeed: Sendable {
    /// Returns the specification that the host was last asked for; nil if it was asked for none.
    func wanted(_ id: MachineID, on host: String) async throws -> MachineSpec?
    /// Returns the machine as it is on the host now, with its generation as rows count it; nil if there is none.
    func observe(_ id: MachineID, on host: String) async throws -> ObservedMachine?
    /// Makes the machine, or changes it into the specified machine. A new machine is off.
    func ensure(_ spec: MachineSpec, on host: String, fence: Fence) async throws
    /// Removes the machine from the host. It has no effect if there is none.
    func remove(_ id: MachineID, on host: String, fence: Fence) async throws
    /// Moves the machine to another host. It is off there; with `isLive` it has the power state that it had. On the
    /// source host the machine stands still until it is removed there.
    func move(_ spec: MachineSpec, from source: String, to host: String, isLive: Bool, fence: Fence) async throws
    /// Brings the machine into a power state.
    @discardableResult
    func setPower(_ power: WantedPower, of id: MachineID, on host: String, fence: Fence) async throws -> PowerState
    /// Reboots the machine. A repeated call with the same fence does not reboot it again.
    @discardableResult
    func reboot(_ id: MachineID, _ kind: RebootKind, on host: String, fence: Fence) async throws -> PowerState
    func setPassword(_ password: Secret, of id: MachineID, on host: String, fence: Fence) async throws
    /// Copies the root disk on the host.
    ///
    /// - Parameter image: the id of the image that the copy is made for. A repeated call with the same id returns the
    ///   same copy.
    func snapshot(_ id: MachineID, for image: ID<Kind.Image>, on host: String, fence: Fence) async throws -> DiskSnapshot
    func removeSnapshot(for image: ID<Kind.Image>, on host: String) async throws
    /// Returns the end of the guest's output to its serial port.
    func consoleOutput(_ id: MachineID, on host: String, lines: Int?) async throws -> String
    /// Returns the machine's resource usage, with the names of the API.
    ///
    /// - Parameter isUniform: whether the names are those since 2.48, which are the same for every hypervisor. Before,
    ///   they are libvirt's names, which contain the names of the devices.
    func diagnostics(_ id: MachineID, on host: String, isUniform: Bool) async throws -> JSONObject
}

/// The calls of Images that Compute needs.
package protocol ImagesNeed: Sendable {
    /// Returns the facts about an image.
    ///
    /// - Throws: `CloudError.notFound` if there is none or the caller may not see it.
    func image(_ id: ID<Kind.Image>, for principal: Principal) async throws -> ImageFacts
    /// Returns the facts that a machine is made from. The right of the machine's user to the image was checked before.
    ///
    /// - Throws: `notFound`; `conflict` for an image without data; `badRequest` for an image that no machine can be
    ///   made from.
    func machineImage(_ id: ID<Kind.Image>) async throws -> MachineImage
    /// Returns the first stage of a start from a disk whose image had some properties: they may name a kernel.
    ///
    /// - Throws: `notFound` for a kernel that the project may not have; `conflict` for one without data.
    func boot(_ properties: [String: String], of project: String) async throws -> MachineSpec.Boot
    /// Makes a queued image that a snapshot is going to fill. A repeated call with the same id has no effect.
    func ensure(_ image: NewImage, for principal: Principal) async throws
    /// Fills the image with the bytes of the snapshot.
    func fill(_ id: ID<Kind.Image>, with snapshot: DiskSnapshot, on host: String, for principal: Principal) async throws
    /// Makes an image active that gets no bytes. A repeated call has no effect.
    func publish(_ id: ID<Kind.Image>, for principal: Principal) async throws
    /// Deletes the image. It has no effect if there is none.
    func delete(_ id: ID<Kind.Image>, for principal: Principal) async throws
    /// Returns the ids of a server's backups of a kind, the newest first. The kind is a word of the server's user.
    func backups(of server: ID<Kind.Server>, kind: String, for principal: Principal) async throws -> [ID<Kind.Image>]
}

/// The calls of Networking that Compute needs. Calls that change something take the caller's open transaction.
package protocol NetworkingNeed: Sendable {
    /// Looks up the networks, ports and groups that are wanted. Nothing is made yet.
    ///
    /// - Parameter groups: the names or ids of security groups; empty for the project's default group.
    /// - Throws: `CloudError.notFound` for something that does not exist; `.badRequest` for a wish that cannot be
    ///   fulfilled; `.conflict` for a port or an address that is in use (`FixedIpAlreadyInUse`) and for an ambiguous
    ///   choice (`NetworkAmbiguous`).
    func plan(_ wish: NetworkWish, groups: [String], for principal: Principal) async throws -> NetworkPlan
    /// Returns the number of further ports that the project's quota allows; nil for any number.
    func freePorts(of project: ID<Kind.Project>, in tx: Transaction) throws -> Int?
    /// Makes or takes the server's ports. Their ids come from the plan, so a repeated call changes nothing.
    ///
    /// - Returns: the ports in the order of the plan.
    func ensurePorts(_ plan: NetworkPlan, server: ID<Kind.Server>, host: String, in tx: Transaction) throws -> [ServerPort]
    /// Binds the ports to the host that their machine is on now.
    func bind(server: ID<Kind.Server>, to host: String, in tx: Transaction) throws
    /// Waits until the host has all of the server's ports, because no guest may run before its rules are in force.
    ///
    /// - Throws: a transient `CloudError` if the host cannot have them yet.
    func awaitWiring(of server: ID<Kind.Server>, on host: String) async throws
    /// Removes the ports that were made for the server, and frees the ports that its user gave.
    func releasePorts(of server: ID<Kind.Server>, in tx: Transaction) throws
    func releasePort(_ id: ID<Kind.Port>, of server: ID<Kind.Server>, in tx: Transaction) throws
    func ports(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerPort]]
    /// Returns the servers that have an address in a range of texts, fixed or floating; nil if there are more than
    /// `most`.
    func servers(withAddress range: TextRange, most: Int, in tx: Transaction) throws -> [ID<Kind.Server>]?
    /// Returns the security groups of each server's ports without repetitions.
    func securityGroups(of servers: [ID<Kind.Server>], in tx: Transaction) throws -> [ID<Kind.Server>: [ServerSecurityGroup]]
    /// Adds a security group to the server's ports.
    ///
    /// - Throws: `CloudError.notFound` if there is no such group.
    func addSecurityGroup(_ name: String, to server: ID<Kind.Server>, for principal: Principal) async throws
    func removeSecurityGroup(_ name: String, from server: ID<Kind.Server>, for principal: Principal) async throws
}

/// The calls of Placement that Compute needs.
package protocol PlacementNeed: Sendable {
    /// Returns a search for hosts where the request would fit, as of the last commit.
    func search(_ request: ResourceRequest) async throws -> any RoomSearch
    /// Returns a search for hosts where the request would fit, as the transaction sees the rows.
    func search(_ request: ResourceRequest, in tx: Transaction) throws -> any RoomSearch
    /// Returns why a host is no candidate, in words for operators; an empty list if it could be one now.
    func refusals(_ request: ResourceRequest, at host: ID<Kind.Provider>, in tx: Transaction) throws -> [String]
    /// Claims the candidate's resources for the consumer. They replace the resources that it held before.
    ///
    /// - Returns: why the claim is refused, in words for operators; nil if it succeeded. A refusal has written nothing.
    func claim(
        _ candidate: PlacementCandidate, consumer: ID<Kind.Consumer>, projectID: ID<Kind.Project>, userID: ID<Kind.User>,
        in tx: Transaction
    ) throws -> String?
    func release(_ consumer: ID<Kind.Consumer>, in tx: Transaction) throws
    /// Gives all resources of one consumer to another that holds none. It has no effect if the first one holds none.
    func move(from old: ID<Kind.Consumer>, to new: ID<Kind.Consumer>, type: String, in tx: Transaction) throws
}

/// A search for room for one request, in one state of Placement.
package protocol RoomSearch: Sendable {
    /// Returns the ways to place the request at a host; none if it does not fit there.
    func candidates(at host: ID<Kind.Provider>) throws -> [PlacementCandidate]
    /// Returns hosts where the request fits.
    ///
    /// - Parameters:
    ///   - most: the most hosts.
    ///   - start: the number of the host at which the search begins, so that not all searches find the same hosts.
    func hosts(most: Int, from start: Int) throws -> [ID<Kind.Provider>]
}

/// The resources and traits that a server needs of one host.
package struct ResourceRequest: Sendable, Hashable, Codable {
    package var vcpus: Int
    package var memoryMiB: Int
    package var diskGiB: Int
    /// Further amounts from the flavor's extra specs, by resource class, such as `CUSTOM_X` for `resources:CUSTOM_X`.
    package var others: [String: Int]
    package var requiredTraits: [String]
    package var forbiddenTraits: [String]
}

package struct PlacementCandidate: Sendable, Hashable, Codable {
    /// The id of the host's provider, which the host's report has, too.
    package var hostID: ID<Kind.Provider>
    /// The amounts by provider, then by resource class.
    package var parts: [ID<Kind.Provider>: [String: Int64]]

    package init(hostID: ID<Kind.Provider>, parts: [ID<Kind.Provider>: [String: Int64]]) {
        self.hostID = hostID
        self.parts = parts
    }
}
