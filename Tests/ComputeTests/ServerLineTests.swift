import CloudCore
@testable import Compute
import ControlPlane
import Durable
import HTTPTypes
import SQL
import Synchronization
import TestSupport
import Testing

/// Several actions on one server at once: those that wait for their turn, those that are refused, and the task shown
/// meanwhile.
@Suite("Actions on one server at once")
struct ServerLineTests {
    private static func network(_ client: ComputeClient) async -> String {
        let made = await client.cloud.send(.post, "/network/v2.0/networks", token: client.token, json: ["network": ["name": "n"]])
        let id = made.json["network"]?["id"]?.string ?? ""
        _ = await client.cloud.send(
            .post, "/network/v2.0/subnets", token: client.token,
            json: ["subnet": ["network_id": .string(id), "ip_version": 4, "cidr": "10.0.0.0/24"]])
        return id
    }

    private static func run(_ body: (ComputeClient, _ server: String, _ network: String) async throws -> Void) async throws {
        try await ServerTests.run { client, image in
            let id = try await ServerTests.boot(client, image)
            try await body(client, id, await network(client))
        }
    }

    private func act(_ client: ComputeClient, _ id: String, _ action: JSON) async -> TestCloud.Response {
        await client.send(.post, "/servers/\(id)/action", action)
    }

    private func shown(_ client: ComputeClient, _ id: String) async -> (status: String?, task: String?) {
        let server = await client.good(.get, "/servers/\(id)")["server"]
        return (server?["status"]?.string, server?["OS-EXT-STS:task_state"]?.string)
    }

    private static func attach(_ client: ComputeClient, _ id: String, _ network: String) async -> TestCloud.Response {
        await client.send(.post, "/servers/\(id)/os-interface", ["interfaceAttachment": ["net_id": .string(network)]])
    }

    @Test("Attaching an interface is answered when the guest has it, and detaching it does not show as the server's task")
    func answered() async throws {
        try await Self.run { client, id, network in
            let reply = try await client.cloud.whileWorking { await Self.attach(client, id, network) }
            #expect(reply.status == .ok, "\(reply.text)")
            let port = reply.json["interfaceAttachment"]?["port_id"]?.string ?? ""
            #expect(client.cloud.cloud.fleet.simulatedMachines.first { $0.id == id }?.ports.contains(port) == true)
            #expect(reply.json["interfaceAttachment"]?["port_state"] == "ACTIVE")
            #expect(await client.send(.delete, "/servers/\(id)/os-interface/\(port)").status == .accepted)
            #expect(await shown(client, id).task == nil)
            #expect(await act(client, id, ["os-stop": nil]).status == .accepted)
            #expect(await shown(client, id).task == "powering-off")
            try await ServerTests.settle(client)
            #expect(await shown(client, id) == ("SHUTOFF", nil))
            #expect(await client.good(.get, "/servers/\(id)/os-interface")["interfaceAttachments"] == [])
        }
    }

    @Test("A failed attachment is reported to its caller and leaves nothing")
    func attachmentFails() async throws {
        try await Self.run { client, id, network in
            let wish: JSON = ["interfaceAttachment": ["net_id": .string(network), "fixed_ips": [["ip_address": "10.0.0.9"]]]]
            let first = try await client.cloud.whileWorking { await client.send(.post, "/servers/\(id)/os-interface", wish) }
            #expect(first.status == .ok, "\(first.text)")
            let second = try await client.cloud.whileWorking { await client.send(.post, "/servers/\(id)/os-interface", wish) }
            #expect((400..<500).contains(second.status.code), "\(second.text)")
            #expect(await client.good(.get, "/servers/\(id)/os-interface")["interfaceAttachments"]?.array?.count == 1)
        }
    }

    @Test("A port that is attached several times at once is attached once, and the other calls get 409")
    func samePort() async throws {
        try await Self.run { client, id, network in
            let made = await client.cloud.send(
                .post, "/network/v2.0/ports", token: client.token, json: ["port": ["network_id": .string(network)]])
            let port = made.json["port"]?["id"] ?? .null
            let wish: JSON = ["interfaceAttachment": ["port_id": port]]
            let replies = try await withThrowingTaskGroup(of: TestCloud.Response.self) { group in
                for count in 1...3 {
                    group.addTask { await client.send(.post, "/servers/\(id)/os-interface", wish) }
                    try await eventually { try await Self.open(client, id) == count }
                }
                try await client.cloud.settle()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(replies.map(\.status.code).sorted() == [200, 409, 409], "\(replies.map(\.text))")
            #expect(await client.good(.get, "/servers/\(id)/os-interface")["interfaceAttachments"]?.array?.count == 1)
            // While the port is being detached, it can be attached again.
            #expect(await client.send(.delete, "/servers/\(id)/os-interface/\(port.string ?? "")").status == .accepted)
            let again = try await client.cloud.whileWorking { await client.send(.post, "/servers/\(id)/os-interface", wish) }
            #expect(again.status == .ok, "\(again.text)")
            #expect(client.cloud.cloud.fleet.simulatedMachines.first { $0.id == id }?.ports == [port.string ?? ""])
        }
    }

    private static let actions: [JSON] = [["os-stop": nil], ["createImage": ["name": "copy"]]]

    @Test("Two attachments, a stop and a snapshot that are sent at once all finish, in every order", arguments: 0..<24)
    func allAtOnce(_ order: Int) async throws {
        try await Self.run { client, id, network in
            var rest = [0, 1, 2, 3]
            var (sequence, number) = ([Int](), order)
            for left in [4, 3, 2, 1] {
                sequence.append(rest.remove(at: number % left))
                number /= left
            }
            let replies = try await withThrowingTaskGroup(of: TestCloud.Response.self) { group in
                var replies: [TestCloud.Response] = []
                for (place, which) in sequence.enumerated() {
                    // The next action is sent as soon as this one is in the line.
                    if which < 2 {
                        group.addTask { await Self.attach(client, id, network) }
                    } else {
                        replies.append(await act(client, id, Self.actions[which - 2]))
                    }
                    try await eventually("action \(place) is taken") { try await Self.open(client, id) == place + 1 }
                }
                try await client.cloud.settle()
                for try await reply in group { replies.append(reply) }
                return replies
            }
            for reply in replies { #expect(reply.status.code < 300, "\(sequence): \(reply.text)") }
            try await Self.checkAllDone(client, id)
        }
    }

    private static func open(_ client: ComputeClient, _ id: String) async throws -> Int {
        try await client.cloud.database.read { tx in
            try client.cloud.cloud.workflows.line(on: Server.resource(ID(id)), in: tx)?.all.count ?? 0
        }
    }

    private static func checkAllDone(_ client: ComputeClient, _ id: String) async throws {
        let server = await client.good(.get, "/servers/\(id)")["server"]
        #expect(server?["status"] == "SHUTOFF")
        #expect(server?["OS-EXT-STS:task_state"] == .null)
        let ports = await client.good(.get, "/servers/\(id)/os-interface")["interfaceAttachments"]?.array ?? []
        #expect(ports.count == 2)
        let machine = client.cloud.cloud.fleet.simulatedMachines.first { $0.id == id }
        #expect(Set(machine?.ports ?? []) == Set(ports.compactMap { $0["port_id"]?.string }))
        #expect(await client.good(.get, "/images?name=copy&status=ACTIVE", minor: 35)["images"]?.array?.count == 1)
    }

    /// Each step of the four workflows, with a crash before it and one after its work. The crash suite covers the other
    /// moments of each.
    static let crashes: [FaultPlan.Place] = {
        let outlines = [
            Outline(AttachInterface.self), Outline(CommandServer<StopVerb>.self), Outline(SnapshotServer.self),
        ]
        let steps = Set(outlines.flatMap { $0.steps.filter { !$0.isUndoOnly }.map(\.name) }).sorted()
        return steps.flatMap { step in
            [FaultPlan.Moment.beforeStart, .afterBody].map { FaultPlan.Place(step, .forward, $0) }
        }
    }()

    @Test("If the process dies at any step of four concurrent actions, all of them finish after its next start", arguments: crashes)
    func crash(_ place: FaultPlan.Place) async throws {
        try await Self.run { client, id, network in
            var client = client
            let isLeft = Mutex(true)
            let faults = FaultPlan { at in
                at == place && isLeft.withLock { left in defer { left = false }; return left } ? .crash : nil
            }
            client = try await ComputeClient(try await client.cloud.restarted(faults: faults))
            let doomed = client
            try await withThrowingTaskGroup(of: Void.self) { group in
                for count in 1...2 {
                    group.addTask { _ = await Self.attach(doomed, id, network) }
                    try await eventually { try await Self.open(doomed, id) == count }
                }
                for action in Self.actions { #expect(await act(doomed, id, action).status.code < 300) }
                await #expect(throws: SimulatedCrash.self) { try await doomed.cloud.settle() }
                // The callers that wait for an answer are cut off with the process.
                group.cancelAll()
            }
            client = try await ComputeClient(try await doomed.cloud.restarted(seed: 3))
            client.cloud.clock.advance(by: RunnerSettings().lease + .seconds(1))
            try await client.cloud.settleAll()
            try await Self.checkAllDone(client, id)
        }
    }

    @Test("An action that repeats a running one or needs an idle server gets 409 with the shown task")
    func refused() async throws {
        try await Self.run { client, id, network in
            _ = network
            #expect(await act(client, id, ["createImage": ["name": "copy"]]).status.code < 300)
            for action in [["createImage": ["name": "again"]], ["resize": ["flavorRef": "large"]], ["shelve": nil]] as [JSON] {
                let reply = await act(client, id, action)
                #expect(reply.status == .conflict)
                #expect(reply.text.contains("while it is in task_state image_snapshot_pending"), "\(reply.text)")
            }
            #expect(await act(client, id, ["os-stop": nil]).status == .accepted)
            // The server will be stopped when their turn comes.
            for action in [["pause": nil], ["os-stop": nil], ["reboot": ["type": "SOFT"]]] as [JSON] {
                #expect(await act(client, id, action).status == .conflict)
            }
            #expect(await act(client, id, ["os-start": nil]).status == .accepted)
            try await ServerTests.settle(client)
            #expect(await shown(client, id) == ("ACTIVE", nil))
        }
    }

    @Test("A delete cancels the waiting actions, is shown at once, and leaves nothing")
    func deleted() async throws {
        try await Self.run { client, id, network in
            let reply = try await withThrowingTaskGroup(of: TestCloud.Response.self) { group in
                group.addTask { await Self.attach(client, id, network) }
                try await eventually { client.cloud.cloud.workflows.bell.isAwaited }
                #expect(await act(client, id, ["os-stop": nil]).status == .accepted)
                #expect(await client.send(.delete, "/servers/\(id)").status == .noContent)
                #expect(await shown(client, id).task == "deleting")
                #expect(await act(client, id, ["pause": nil]).status == .conflict)
                try await client.cloud.settle()
                return try await group.next()
            }
            #expect(reply?.status == .conflict, "\(reply?.text ?? "")")
            await client.refused(.notFound, .get, "/servers/\(id)")
            let ports = await client.cloud.send(.get, "/network/v2.0/ports?device_id=\(id)", token: client.token)
            #expect(ports.json["ports"] == [])
        }
    }

    @Test("Deleting a server also deletes the image of a snapshot that waits for its turn")
    func deletedCopy() async throws {
        try await Self.run { client, id, _ in
            #expect(await act(client, id, ["reboot": ["type": "HARD"]]).status == .accepted)
            #expect(await act(client, id, ["createImage": ["name": "copy"]]).status.code < 300)
            #expect(await client.good(.get, "/images?name=copy", minor: 35)["images"]?.array?.count == 1)
            #expect(await client.send(.delete, "/servers/\(id)").status == .noContent)
            try await ServerTests.settle(client)
            await client.refused(.notFound, .get, "/servers/\(id)")
            #expect(await client.good(.get, "/images?name=copy", minor: 35)["images"] == [])
        }
    }

    @Test("At most 15 actions wait on one server")
    func bounded() async throws {
        try await Self.run { client, id, network in
            let client = client
            try await withThrowingTaskGroup(of: TestCloud.Response.self) { group in
                for count in 1...16 {
                    group.addTask { await Self.attach(client, id, network) }
                    try await eventually { try await Self.open(client, id) == count }
                }
                let reply = await Self.attach(client, id, network)
                #expect(reply.status == .conflict)
                #expect(reply.text.contains("15 actions wait on it already"), "\(reply.text)")
                try await client.cloud.settle()
                for try await reply in group { #expect(reply.status == .ok, "\(reply.text)") }
            }
        }
    }
}
