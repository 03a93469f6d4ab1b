package import CloudCore
package import SQL

/// All that is wanted of a machine: the whole of it, never a difference.
package struct MachineOrder: Sendable, Hashable {
    package var id: String
    package var name: String
    package var vcpus: Int
    package var memoryMiB: Int
    package var rootGiB: Int
    /// The bus of each disk is that of all of the machine's where it is nil.
    package var rootBus: String?
    package var ephemerals: [EmptyDisk]
    package var swapMiB: Int
    package var swapBus: String?
    /// Nil for a root disk without content.
    package var imageID: String?
    package var imageProperties: [String: String]
    package var extraSpecs: [String: String]
    package var ports: [ServerPort]
    package var metadata: [String: String]
    package var hostname: String
    package var userData: String?
    package var publicKey: String?
    package var hasConfigDrive: Bool
    /// Changes with each rebuild: another content for the root disk.
    package var diskRevision: Int64
    /// What it starts from for a while, with its own disks behind that.
    package var rescueImageID: String?
}

/// A disk of a machine that has no content yet.
package struct EmptyDisk: Sendable, Hashable {
    package var sizeGiB: Int
    package var bus: String?

    package init(sizeGiB: Int, bus: String? = nil) {
        self.sizeGiB = sizeGiB
        self.bus = bus
    }
}

/// How new a change is: both only ever rise for one machine, and an agent refuses what is behind.
package struct MachineFence: Sendable, Hashable {
    package var epoch: Int64
    package var generation: Int64

    package init(epoch: Int64, generation: Int64) {
        self.epoch = epoch
        self.generation = generation
    }
}

package enum MachinePower: String, Sendable, Hashable, Codable { case off, running, paused, suspended, crashed }

/// What can be asked of a machine that is there.
package enum MachineCommand: Sendable, Hashable {
    case start
    /// The guest is asked to stop, and stopped when it has not after so many seconds.
    case stop(graceSeconds: Int)
    case rebootSoft, rebootHard, pause, unpause, suspend, resume
}

/// A copy of a root disk, where the host has it.
package struct MachineSnapshot: Sendable, Hashable, Codable {
    package var path: String
    package var format: String
    package var virtualBytes: Int64
    package var sizeBytes: Int64

    package init(path: String, format: String, virtualBytes: Int64, sizeBytes: Int64) {
        self.path = path
        self.format = format
        self.virtualBytes = virtualBytes
        self.sizeBytes = sizeBytes
    }
}

/// Machines on hosts. Every call may be made again and then changes nothing more (but a reboot happens each time).
package protocol MachinesNeed: Sendable {
    /// The machine is there and is as the order says; one that is new is off.
    func ensure(_ order: MachineOrder, on host: String, fence: MachineFence) async throws
    /// It is not there any longer. Without effect when there is none.
    func remove(_ id: String, on host: String, fence: MachineFence) async throws
    /// The machine is on another host, and is as the order says: off, or with `isLive` it does what it did. It stands still on the host that
    /// it comes from until it is removed there.
    func move(_ order: MachineOrder, from source: String, to host: String, isLive: Bool, fence: MachineFence) async throws
    @discardableResult
    func command(_ id: String, _ command: MachineCommand, on host: String, fence: MachineFence) async throws -> MachinePower
    func setPassword(_ password: Secret, of id: String, on host: String, fence: MachineFence) async throws
    /// - Parameter snapshot: a UUID; the same gives the same copy again.
    func snapshot(_ id: String, as snapshot: String, on host: String, fence: MachineFence) async throws -> MachineSnapshot
    func removeSnapshot(_ snapshot: String, on host: String) async throws
    /// The end of what the guest wrote to its serial port.
    func consoleOutput(_ id: String, on host: String, lines: Int?) async throws -> String
    /// What the machine has used, in the words of the API.
    ///
    /// - Parameter isUniform: as since 2.48, the same of every hypervisor. Before, it is libvirt's numbers by the devices' names.
    func diagnostics(_ id: String, on host: String, isUniform: Bool) async throws -> JSONObject
}

/// What Compute asks of Images.
package protocol ImagesNeed: Sendable {
    /// - Throws: `CloudError.notFound` for one that is not there or that the caller may not see.
    func image(_ id: String, for principal: Principal) async throws -> ImageFacts
    /// A queued image that a snapshot will fill. The same id again is the same image.
    func ensure(_ image: NewImage, for principal: Principal) async throws
    /// The snapshot's bytes are the image's.
    func fill(_ id: String, with snapshot: MachineSnapshot, on host: String, for principal: Principal) async throws
    /// Without effect when there is none.
    func delete(_ id: String, for principal: Principal) async throws
    /// The ids of a server's backups of a kind (its user's word), newest first.
    func backups(of server: String, kind: String, for principal: Principal) async throws -> [String]
}

package struct ImageFacts: Sendable, Hashable {
    package var id: String
    package var name: String
    package var isActive: Bool
    package var minDiskGiB: Int
    package var minMemoryMiB: Int
    package var sizeBytes: Int64
    package var properties: [String: String]

    package init(
        id: String, name: String, isActive: Bool = true, minDiskGiB: Int = 0, minMemoryMiB: Int = 0, sizeBytes: Int64 = 0,
        properties: [String: String] = [:]
    ) {
        self.id = id
        self.name = name
        self.isActive = isActive
        self.minDiskGiB = minDiskGiB
        self.minMemoryMiB = minMemoryMiB
        self.sizeBytes = sizeBytes
        self.properties = properties
    }
}

package struct NewImage: Sendable, Hashable, Codable {
    package var id: String
    package var name: String
    package var minDiskGiB: Int
    package var properties: [String: String]
}

/// What Compute asks of Networking. What changes something takes the caller's open transaction.
package protocol NetworkingNeed: Sendable {
    /// Looks up what is wanted, before anything is made.
    ///
    /// - Throws: `CloudError.notFound` for what is not there, `.badRequest` for what cannot be had, `.conflict` for a port or an address that
    ///   is in use (`FixedIpAlreadyInUse`) and for a choice that is not clear (`NetworkAmbiguous`).
    func plan(_ wish: NetworkWish, for principal: Principal) async throws -> NetworkPlan
    /// How many ports the project's quota leaves; nil for any number.
    func freePorts(of project: String, in tx: Transaction) throws -> Int?
    /// The server's ports, made or taken, in the order of the plan. The ids come from the plan, so the same again changes nothing.
    func ensurePorts(_ plan: NetworkPlan, server: String, host: String, in tx: Transaction) throws -> [ServerPort]
    /// The ports' machine is there now.
    func bind(server: String, to host: String, in tx: Transaction) throws
    /// Returns when the host has all of the server's ports: no guest runs before the rules that hold for it.
    ///
    /// - Throws: a transient `CloudError` while the host cannot have them.
    func awaitWiring(of server: String, on host: String) async throws
    /// Ports that were made for the server go; those that were given are free again.
    func releasePorts(of server: String, in tx: Transaction) throws
    func releasePort(_ id: String, of server: String, in tx: Transaction) throws
    func ports(of servers: [String], in tx: Transaction) throws -> [String: [ServerPort]]
    /// The names of a project's security groups that the server's ports have, each once.
    func securityGroups(of servers: [String], in tx: Transaction) throws -> [String: [SecurityGroupFacts]]
    /// - Throws: `CloudError.notFound`.
    func addSecurityGroup(_ name: String, to server: String, for principal: Principal) async throws
    func removeSecurityGroup(_ name: String, from server: String, for principal: Principal) async throws
}

/// What a user wants of networks.
package struct NetworkWish: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable {
        /// What the project has, or nothing.
        case automatic
        case nothing
        case listed
    }

    package struct Item: Sendable, Hashable, Codable {
        package var network: String?
        package var port: String?
        package var address: String?
        package var tag: String?
        /// The server that is given the interface. The port may be its own still: what takes it away may wait its turn.
        package var holder: String?
    }

    package var kind: Kind
    package var items: [Item]
    /// Names or ids.
    package var securityGroups: [String]
}

/// What is going to be made: the ids are drawn beforehand, so that making it again makes the same.
package struct NetworkPlan: Sendable, Hashable, Codable {
    package struct Port: Sendable, Hashable, Codable {
        package var id: String
        package var network: String
        package var address: String?
        package var tag: String?
        /// Whether it was there before, and stays when the server goes.
        package var isGiven: Bool

        package init(id: String, network: String, address: String?, tag: String?, isGiven: Bool) {
            self.id = id
            self.network = network
            self.address = address
            self.tag = tag
            self.isGiven = isGiven
        }
    }

    package var projectID: String
    package var ports: [Port]
    package var securityGroups: [String]

    package init(projectID: String, ports: [Port], securityGroups: [String]) {
        self.projectID = projectID
        self.ports = ports
        self.securityGroups = securityGroups
    }

    /// The same for one more server, with ids of its own for the ports that are made.
    func again(_ world: World) -> NetworkPlan {
        var plan = self
        for place in plan.ports.indices where !plan.ports[place].isGiven { plan.ports[place].id = world.random.uuid() }
        return plan
    }
}

/// A server's port, as views and machines need it.
package struct ServerPort: Sendable, Hashable, Codable {
    package struct Address: Sendable, Hashable, Codable {
        package var text: String
        package var subnet: String
        package var isFloating: Bool

        package init(text: String, subnet: String, isFloating: Bool) {
            self.text = text
            self.subnet = subnet
            self.isFloating = isFloating
        }

        package var version: Int { text.contains(":") ? 6 : 4 }
    }

    package var id: String
    package var network: String
    package var networkName: String
    package var mac: String
    package var addresses: [Address]
    package var isActive: Bool
    package var tag: String?

    package init(
        id: String, network: String, networkName: String, mac: String, addresses: [Address], isActive: Bool, tag: String?
    ) {
        self.id = id
        self.network = network
        self.networkName = networkName
        self.mac = mac
        self.addresses = addresses
        self.isActive = isActive
        self.tag = tag
    }
}

package struct SecurityGroupFacts: Sendable, Hashable, Codable {
    package var id: String
    package var name: String
    package var description: String
    package var projectID: String

    package init(id: String, name: String, description: String, projectID: String) {
        self.id = id
        self.name = name
        self.description = description
        self.projectID = projectID
    }
}

/// What Compute asks of Placement.
package protocol PlacementNeed: Sendable {
    /// Where it would fit, as of the last commit.
    func candidates(_ request: ResourceRequest) async throws -> [PlacementCandidate]
    /// Why a host is no candidate, in words for operators; empty when it could be one now.
    func refusals(_ request: ResourceRequest, at host: String, in tx: Transaction) throws -> [String]
    /// Makes the consumer have what the candidate says, instead of what it had.
    ///
    /// - Returns: why not, in words for operators; nil when it is done. A refusal has written nothing.
    func claim(_ candidate: PlacementCandidate, consumer: String, projectID: String, userID: String, in tx: Transaction) throws -> String?
    func release(_ consumer: String, in tx: Transaction) throws
    /// Gives all that one consumer has to another that has nothing. Without effect when the first has nothing.
    func move(from old: String, to new: String, type: String, in tx: Transaction) throws
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
    package var hostID: String
    /// Amounts by provider.
    package var parts: [String: [String: Int64]]

    package init(hostID: String, parts: [String: [String: Int64]]) {
        self.hostID = hostID
        self.parts = parts
    }
}
