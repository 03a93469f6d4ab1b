import AgentCore
package import CloudCore
import Compute
package import HostModel

/// The machines that Compute controls, over the links to their hosts.
package struct MachinesForCompute: MachinesNeed {
    let fleet: Fleet

    package init(fleet: Fleet) { self.fleet = fleet }

    package func wanted(_ id: MachineID, on host: String) async throws -> MachineSpec? {
        guard case .wanted(let spec) = try await fleet.link(to: host).ask(.wanted(id)) else { return nil }
        return spec
    }

    package func observe(_ id: MachineID, on host: String) async throws -> ObservedMachine? {
        guard case .machine(let machine) = try await fleet.link(to: host).ask(.observe(id)) else { return nil }
        return machine.lowered(fleet.era)
    }

    package func ensure(_ spec: MachineSpec, on host: String, fence: Fence) async throws {
        _ = try await send("ensure", .ensure(spec, power: nil), spec.id, host, fence)
    }

    package func move(_ spec: MachineSpec, from source: String, to host: String, isLive: Bool, fence: Fence) async throws {
        guard case .luggage(let luggage) = try await send("pack", .pack(isLive: isLive), spec.id, source, fence) else {
            throw CloudError.internalError("a host answers with something else than a machine's luggage")
        }
        _ = try await send("unpack", .unpack(luggage, spec), spec.id, host, fence)
    }

    package func remove(_ id: MachineID, on host: String, fence: Fence) async throws {
        _ = try await send("remove", .remove, id, host, fence)
    }

    @discardableResult
    package func setPower(_ power: WantedPower, of id: MachineID, on host: String, fence: Fence) async throws -> PowerState {
        let word =
            switch power {
            case .running: "start"
            case .off: "stop"
            case .paused: "pause"
            case .suspended: "suspend"
            }
        return try await change(word, .power(power), id, host, fence)
    }

    @discardableResult
    package func reboot(_ id: MachineID, _ kind: RebootKind, on host: String, fence: Fence) async throws -> PowerState {
        try await change("reboot-\(kind.rawValue)", .reboot(kind), id, host, fence)
    }

    package func setPassword(_ password: Secret, of id: MachineID, on host: String, fence: Fence) async throws {
        let link = try await fleet.link(to: host)
        // The caller is not a workflow. It sends the machine's present epoch, and so takes the machine from no
        // workflow.
        guard case .machine(let machine) = try await link.ask(.observe(id)) else { throw CloudError.notFound("machine", id.text) }
        let generation = max(machine.fence.generation, fleet.era.raise(fence.generation))
        _ = try await Self.send(
            "password", .setPassword(SentSecret(password), user: "root"), id, link,
            raised: Fence(epoch: machine.fence.epoch, generation: generation))
    }

    // MARK: Copies of disks

    package func snapshot(_ id: MachineID, for image: ID<Kind.Image>, on host: String, fence: Fence) async throws -> DiskSnapshot {
        guard case .snapshot(let copy) = try await send("snapshot", .snapshot(image.text), id, host, fence) else {
            throw CloudError.internalError("a host answers a snapshot with something else")
        }
        return copy
    }

    package func removeSnapshot(for image: ID<Kind.Image>, on host: String) async throws {
        _ = try await fleet.link(to: host).ask(.forgetSnapshot(image.text))
    }

    // MARK: Looking

    package func consoleOutput(_ id: MachineID, on host: String, lines: Int?) async throws -> String {
        guard case .console(let console) = try await fleet.link(to: host).ask(.console(id, mostBytes: Self.mostConsole)) else {
            throw CloudError.notFound("machine", id.text)
        }
        guard let lines, lines >= 0 else { return console.text() }
        // An unfinished line counts, as in the reference. The text is split by bytes, because a carriage return and a
        // line feed form one Character.
        let parts = console.bytes.split(separator: 10, omittingEmptySubsequences: false).suffix(lines)
        return String(decoding: Array(parts.joined(separator: [10])), as: UTF8.self)
    }

    /// The most bytes of console output, as in the reference.
    private static let mostConsole = 100 << 10

    package func diagnostics(_ id: MachineID, on host: String, isUniform: Bool) async throws -> JSONObject {
        let link = try await fleet.link(to: host)
        guard case .diagnostics(let found) = try await link.ask(.diagnostics(id)) else { throw CloudError.notFound("machine", id.text) }
        guard case .wanted(let spec) = try await link.ask(.wanted(id)) else { throw CloudError.notFound("machine", id.text) }
        return isUniform ? DiagnosticsText.uniform(found, spec) : DiagnosticsText.named(found, spec)
    }

    // MARK: Requests

    /// Changes a machine that must exist, and returns its power state afterwards.
    private func change(
        _ word: String, _ verb: AgentRequest.Verb, _ id: MachineID, _ host: String, _ fence: Fence
    ) async throws -> PowerState {
        guard case .machine(let machine) = try await send(word, verb, id, host, fence) else {
            throw CloudError.notFound("machine", id.text)
        }
        return machine.power
    }

    private func send(
        _ word: String, _ verb: AgentRequest.Verb, _ id: MachineID, _ host: String, _ fence: Fence
    ) async throws -> AgentReply {
        try await Self.send(word, verb, id, try await fleet.link(to: host), raised: fleet.era.raise(fence))
    }

    /// Sends a request. The same verb with the same generation has the same id, so that no reboot is carried out twice.
    ///
    /// - Parameter fence: the fence with the era added, as hosts count.
    private static func send(
        _ word: String, _ verb: AgentRequest.Verb, _ id: MachineID, _ link: any AgentLink, raised fence: Fence
    ) async throws -> AgentReply {
        try await link.send(AgentRequest(id: "\(word)-\(fence.generation)", machine: id, fence: fence, verb))
    }
}
