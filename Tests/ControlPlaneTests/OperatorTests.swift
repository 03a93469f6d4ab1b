import CloudCore
import Durable
import Foundation
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import ControlPlane

/// The operator's tools over HTTP.
@Suite("The operator's API") struct OperatorTests {
    private static let paths: [(HTTPRequest.Method, String)] = [
        (.get, "/workflows"), (.get, "/workflows/none"), (.post, "/workflows/none/retry"), (.post, "/workflows/none/abandon"),
        (.get, "/keys"), (.post, "/keys/rotate"),
    ]

    /// An administrator as a client of the operator's API.
    private struct Operator {
        let cloud: TestCloud
        let token: String

        init(_ cloud: TestCloud) async throws {
            self.cloud = cloud
            token = try await cloud.token()
        }

        func send(_ method: HTTPRequest.Method, _ path: String, _ json: JSON? = nil) async -> TestCloud.Response {
            await cloud.send(method, "/novella/v1" + path, token: token, json: json)
        }

        func workflows(_ query: String = "") async -> [JSON] { await send(.get, "/workflows" + query).json["workflows"]?.array ?? [] }

        func show(_ id: String) async -> JSON { await send(.get, "/workflows/\(id)").json["workflow"] ?? .null }
    }

    private static func run(
        on kind: DatabaseKind = .usual, _ body: (Operator) async throws -> Void
    ) async throws {
        try await TestCloud.run(on: kind) { try await body(Operator($0)) }
    }

    /// Writes a workflow's row as the engine would have left it.
    private static func plant(
        _ cloud: TestCloud, _ id: String, resource: String = "compute.server/s", status: String = "blocked", attempt: Int = 1,
        place: Int = 0, project: String? = nil
    ) async throws {
        let now = cloud.world.now
        let isHeld = status == "stuck" || status == "blocked"
        try await cloud.database.write { tx in
            try tx.execute(
                """
                INSERT INTO workflow (id, kind, version, fingerprint, resource, project_id, input, state, status, direction, step,
                  attempt, interrupted, progress, epoch, sequence, run_after, cancel_requested, reason, place, created_at, updated_at)
                VALUES (?, 'compute.server.unheard', 1, 'local:claim remote:spawn | local:activate', ?, ?, '{"password":"hidden-input"}',
                  '{"userData":"hidden-state"}', ?, 'do', 'spawn', ?, 0, 33, 7, 3, ?, 0, ?, ?, ?, ?)
                """, id, resource, project, status, attempt, now + .seconds(86_400), isHeld ? "This binary does not know it." : nil, place, now,
                now)
        }
    }

    @Test("Every operator route requires a token, and only administrators are allowed")
    func access() async throws {
        try await TestCloud.run { cloud in
            let member = try await cloud.memberToken()
            for (method, path) in Self.paths {
                for token in [nil, "nv1-forged"] {
                    let reply = await cloud.send(method, "/novella/v1" + path, token: token, json: method == .post ? [:] : nil)
                    #expect(reply.status == .unauthorized, "\(method) \(path)")
                    #expect(reply.json["error"]?["code"] == 401)
                }
                let reply = await cloud.send(method, "/novella/v1" + path, token: member, json: method == .post ? [:] : nil)
                #expect(reply.status == .forbidden, "\(method) \(path): \(reply.text)")
                #expect(reply.json["error"]?["code"] == 403)
            }
        }
    }

    @Test("An unknown workflow is a 404, and an invalid query or body is a 400")
    func refusals() async throws {
        try await Self.run { me in
            try await Self.plant(me.cloud, "w")
            for path in ["/workflows/none", "/nothing"] { #expect(await me.send(.get, path).status == .notFound, "\(path)") }
            #expect(await me.send(.post, "/workflows/none/retry").status == .notFound)
            #expect(await me.send(.post, "/workflows/none/abandon", ["reason": "x"]).status == .notFound)
            for query in ["?status=odd", "?stuck=maybe", "?limit=0", "?limit=1001", "?limit=x", "?marker=none", "?colour=red"] {
                let reply = await me.send(.get, "/workflows" + query)
                #expect(reply.status == .badRequest, "\(query): \(reply.text)")
            }
            let bodies: [JSON?] = [
                nil, [:], ["reason": ""], ["reason": "  "], ["reason": 5], ["reason": .string(String(repeating: "x", count: 256))],
                ["reason": "x", "more": 1],
            ]
            for body in bodies {
                #expect(await me.send(.post, "/workflows/w/abandon", body).status == .badRequest, "\(body?.text ?? "no body")")
            }
            #expect(await me.show("w")["status"] == "blocked")
        }
    }

    @Test("A list of workflows can be filtered and comes in pages, newest first", arguments: DatabaseKind.allCases)
    func lists(_ kind: DatabaseKind) async throws {
        try await Self.run(on: kind) { me in
            for number in 1...5 {
                let isOdd = number % 2 == 1
                try await Self.plant(
                    me.cloud, "w\(number)", resource: "compute.server/\(number)", status: isOdd ? "blocked" : "ready",
                    attempt: number == 4 ? WorkflowRecord.stuckFromAttempts : 1, project: isOdd ? "p" : nil)
                me.cloud.clock.advance(by: .seconds(1))
            }
            func ids(_ query: String) async -> [String] { await me.workflows(query).compactMap { $0["id"]?.string } }
            #expect(await ids("") == ["w5", "w4", "w3", "w2", "w1"])
            #expect(await ids("?stuck=true") == ["w5", "w4", "w3", "w1"])
            #expect(await ids("?status=ready") == ["w4", "w2"])
            #expect(await ids("?resource=compute.server/3") == ["w3"])
            #expect(await ids("?project_id=p&stuck=true") == ["w5", "w3", "w1"])
            #expect(await ids("?kind=compute.server.create") == [])
            #expect(await ids("?limit=2&marker=w4") == ["w3", "w2"])
            let first = await me.send(.get, "/workflows?limit=2").json
            let next = try #require(first["next"]?.string)
            #expect(next.hasPrefix(TestCloud.url + "/novella/v1/workflows?limit=2&marker=w4"))
            #expect(await me.send(.get, "/workflows?limit=5").json["next"] == .null)
            let census = await me.cloud.send(.get, "/metrics").text
            #expect(census.contains("\nnovella_workflows_stuck 4\n"), "\(census)")
        }
    }

    @Test("A stuck workflow shows what it waits for and since when, but not its input and state")
    func shown() async throws {
        try await Self.run { me in
            try await Self.plant(me.cloud, "w")
            try await Self.plant(me.cloud, "next", status: "queued", attempt: 0, place: 1)
            let reply = await me.send(.get, "/workflows/w")
            #expect(!reply.text.contains("hidden"))
            let shown = reply.json["workflow"] ?? .null
            #expect(shown["stuck"] == true && shown["reason"] == "This binary does not know it.")
            #expect(shown["waits_for"]?.string?.contains("administrator") == true)
            #expect(shown["waits_since"]?.string == me.cloud.world.now.iso8601Microseconds)
            #expect(shown["steps"]?.array?.compactMap { $0["state"]?.string } == ["done", "present", "ahead"])
            #expect(shown["line"]?.array?.compactMap { $0["id"]?.string } == ["next"])
            #expect(await me.show("next")["waits_for"]?.string?.contains("compute.server/s") == true)
        }
    }

    @Test("An abandoned workflow ends with a reason and an author, and the next one in the line becomes ready", arguments: DatabaseKind.allCases)
    func abandoned(_ kind: DatabaseKind) async throws {
        try await Self.run(on: kind) { me in
            try await Self.plant(me.cloud, "w")
            try await Self.plant(me.cloud, "next", status: "queued", attempt: 0, place: 1)
            let reply = await me.send(.post, "/workflows/w/abandon", ["reason": "the host was replaced"])
            #expect(reply.status == .ok, "\(reply.text)")
            let shown = reply.json["workflow"] ?? .null
            #expect(shown["status"] == "abandoned" && shown["reason"] == "the host was replaced")
            #expect(shown["abandoned_by"]?.string?.hasPrefix("admin (") == true)
            #expect(shown["finished_at"]?.string != nil && shown["waits_for"] == .null)
            let notes = shown["events"]?.array?.compactMap { $0["note"]?.string } ?? []
            #expect(notes.contains { $0.contains("the host was replaced") && $0.contains("admin (") })
            #expect(await me.show("next")["status"] == "ready")
            #expect(await me.send(.post, "/workflows/w/abandon", ["reason": "again"]).status == .conflict)
            #expect(await me.send(.post, "/workflows/w/retry").status == .conflict)
        }
    }

    @Test(
        "A retry is accepted only for a workflow that is stuck or waits for its next attempt",
        arguments: DatabaseKind.allCases)
    func retried(_ kind: DatabaseKind) async throws {
        try await Self.run(on: kind) { me in
            try await Self.plant(me.cloud, "blocked")
            try await Self.plant(me.cloud, "again", resource: "compute.server/2", status: "ready", attempt: 12)
            try await Self.plant(me.cloud, "fresh", resource: "compute.server/3", status: "ready", attempt: 0)
            for id in ["blocked", "again"] {
                let reply = await me.send(.post, "/workflows/\(id)/retry")
                #expect(reply.status == .ok, "\(reply.text)")
                let shown = reply.json["workflow"] ?? .null
                #expect(shown["status"] == "ready" && shown["attempt"] == 1 && shown["reason"] == .null && shown["stuck"] == false)
            }
            #expect(await me.send(.post, "/workflows/fresh/retry").status == .conflict)
        }
    }

    @Test("Rotating keys makes a new key for tokens, and older tokens stay valid")
    func rotation() async throws {
        try await Self.run { me in
            let before = await me.send(.get, "/keys").json["keys"]?.array ?? []
            let reply = await me.send(.post, "/keys/rotate")
            #expect(reply.status == .ok, "\(reply.text)")
            let after = reply.json["keys"]?.array ?? []
            #expect(after.count == before.count + 1)
            let current = after.filter { $0["current"] == true && $0["purpose"] == "token" }
            #expect(current.count == 1 && !before.contains { $0["id"] == current[0]["id"] })
            #expect(after.allSatisfy { Set($0.object?.keys ?? []) == ["id", "purpose", "current", "created_at", "used_from"] })
            #expect(await me.send(.get, "/keys").status == .ok, "the token of before")
            let fresh = try await me.cloud.token()
            #expect(await me.cloud.send(.get, "/novella/v1/keys", token: fresh).status == .ok)
        }
    }
}
