import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

/// A service whose routes are tried with large values, by its administrator.
struct Trial: Sendable {
    let cloud: TestCloud
    let api: APIService
    let name: String
    private let expected: RouteExpectations
    private let things: RouteExpectations.Things
    private let stage: RouteStage

    init(_ name: String, _ cloud: TestCloud) async throws {
        self.name = name
        self.cloud = cloud
        api = try RouteTests.service(name, cloud)
        expected = try RouteTests.expectations(name)
        stage = try await RouteStage(cloud)
        things = try await expected.make(stage)
    }

    let tokenPath = "/v3/auth/projects"

    /// One body for one route, whose place has a large value.
    struct Case: Sendable {
        let route: Route
        let version: String
        let place: String
        let body: JSON
        /// Whether the value is larger than the largest.
        let isRefused: Bool

        init(_ route: Route, _ version: String, _ place: String, _ body: JSON, _ isRefused: Bool) {
            self.route = route
            self.version = version
            self.place = place
            self.body = body
            self.isRefused = isRefused
        }
    }

    struct QueryCase: Sendable {
        let route: Route
        let version: String
        let query: String
        let isRefused: Bool
    }

    // MARK: Sending

    private func headers(_ version: String) -> HTTPFields {
        var headers: HTTPFields = [.subjectToken: stage.admin]
        if !version.isEmpty { headers[.apiVersion] = version }
        return headers
    }

    private func path(_ route: Route) -> String { RouteTests.path(route, api, expected.word, things) }

    func send(
        _ method: HTTPRequest.Method, _ path: String, _ body: JSON? = nil, type: String = "application/json",
        version: String = ""
    ) async -> TestCloud.Response {
        let bytes = body.map { Array($0.text.utf8) }
        return await cloud.send(
            method, path, token: stage.admin, bytes: bytes, type: type, headers: headers(version))
    }

    private func traced(_ route: Route, _ body: JSON?, _ version: String) async -> [ShapeTrace.Event] {
        let trace = ShapeTrace()
        _ = await ShapeTrace.$current.withValue(trace) {
            await send(route.method, path(route), body, type: expected.type(route), version: version)
        }
        return trace.events
    }

    private var versions: [String] { expected.versions.isEmpty ? [""] : expected.versions }

    // MARK: Bodies

    /// Returns the bodies that make a route say with which shapes it compares them.
    private func probes(_ route: Route) -> [JSON] {
        var probes: [JSON] = [[:]]
        if let body = expected.body(route, things), body != .null { probes.append(body) }
        if route.name == "POST /v2.1/servers/{server_id}/action" {
            probes += ServerActionWords.all.map { word -> JSON in [word: [:]] }
        }
        return probes
    }

    /// Returns a body for each place of each shape that a route compares with its body.
    func cases(of route: Route) async -> [Case] {
        var (cases, seen): ([Case], Set<String>) = ([], [])
        for version in versions {
            for probe in probes(route) {
                for event in await traced(route, probe, version) {
                    guard let found = Self.place(of: event, in: probe) else { continue }
                    for (place, body, isRefused) in Self.bodies(found, probe) {
                        let (length, one) = (body.text.utf8.count, Case(route, version, place, body, isRefused))
                        // The bound of a body as a whole has tests of its own.
                        guard length <= api.bodyLimit else { continue }
                        if seen.insert("\(version) \(place) \(length)").inserted { cases.append(one) }
                    }
                }
            }
        }
        return cases
    }

    /// Returns the bodies with an extreme of a shape, and whether they are too large.
    private static func bodies(_ found: Found, _ probe: JSON) -> [(place: String, body: JSON, isRefused: Bool)] {
        let values = ShapeValues(minor: found.minor)
        return values.extremes(of: found.shape).flatMap { extreme in
            [(extreme.taken, false), (extreme.refused, true)].compactMap { value, isRefused in
                guard let value else { return nil }
                let inner = values.put(value, at: extreme.place, in: base(found, values), found.shape)
                let body = found.member.map { inside($0, inner, probe) } ?? inner
                return ("\(found.member ?? "body")/\(extreme.name)", body, isRefused)
            }
        }
    }

    private struct Found {
        let member: String?
        let shape: HTTPKit.Shape
        let minor: Int
        let value: JSON
    }

    /// Returns the place in the body that was compared; nil if it is not the body or a member of it.
    private static func place(of event: ShapeTrace.Event, in body: JSON) -> Found? {
        switch event {
        case .envelope(let name, let shape):
            return Found(member: name, shape: shape, minor: .max, value: body[name] ?? .null)
        case .compared(let value, let shape, let minor):
            if value == body { return Found(member: nil, shape: shape, minor: minor, value: value) }
            guard let member = body.object?.members.first(where: { $0.value == value }) else { return nil }
            return Found(member: member.key, shape: shape, minor: minor, value: value)
        case .query: return nil
        }
    }

    private static func base(_ found: Found, _ values: ShapeValues) -> JSON {
        if let object = found.value.object, !object.isEmpty { return found.value }
        return values.sample(found.shape)
    }

    private static func inside(_ member: String, _ value: JSON, _ body: JSON) -> JSON {
        var object = body.object ?? [:]
        object[member] = value
        return .object(object)
    }

    func check(_ one: Case, _ seed: UInt64) async {
        let (route, type) = (one.route, expected.type(one.route))
        let reply = await send(route.method, path(route), one.body, type: type, version: one.version)
        let what = "\(route.name) \(one.version) \(one.place), seed \(seed): \(reply.status) \(reply.text.prefix(300))"
        judge(reply, isRefused: one.isRefused, what)
    }

    private func judge(_ reply: TestCloud.Response, isRefused: Bool, _ what: String) {
        guard reply.status.code < 500 || reply.status == .notImplemented else { return #expect(Bool(false), "\(what)") }
        guard isRefused else {
            let isForSize = [400, 413].contains(reply.status.code) && Self.speaksOfSize(reply.text)
            return #expect(!isForSize, "the largest value: \(what)")
        }
        #expect(reply.status.code >= 400, "one more is taken: \(what)")
        #expect(isEnvelope(reply), "not this service's error: \(what)")
    }

    private static func speaksOfSize(_ text: String) -> Bool {
        // A thing that is full already refuses also what is not too much for one request.
        if text.contains("A thing can have") { return false }
        // A value that is missing is too small, not too large. The reference has one sentence for both.
        if ["greater than 0", "Disabled reason contains invalid"].contains(where: { text.contains($0) }) {
            return false
        }
        return ["too long", "at most", "too many", "greater than", "is longer"].contains { text.contains($0) }
    }

    private func isEnvelope(_ reply: TestCloud.Response) -> Bool {
        let (json, code) = (reply.json, JSON.integer(Int64(reply.status.code)))
        switch name {
        case "Identity": return json["error"]?["code"] == code && json["error"]?["message"]?.string != nil
        case "Networking": return json["NeutronError"]?["message"]?.string != nil || json["error"]?["code"] == code
        case "Placement": return json["errors"]?.array?.first?["status"] == code
        case "Compute": return json.object?.members.first?.value["code"] == code
        case "Images": return reply.text.hasPrefix("\(reply.status.code) ")
        default: return json.object != nil
        }
    }

    // MARK: Queries

    private static let names = ["limit", "marker", "sort_key", "sort", "name", "tags", "fields", "status"]

    /// Returns queries at the bounds of all queries, and at those of the names that a route has.
    func queries(of route: Route) async -> [QueryCase] {
        let (length, items) = (Limits.request.queryLength.most, Limits.request.queryItems.most)
        let values = Limits.list.filterValues.most
        var cases: [QueryCase] = []
        for version in versions {
            func add(_ query: String, _ isRefused: Bool) {
                cases.append(QueryCase(route: route, version: version, query: query, isRefused: isRefused))
            }
            func repeated(_ text: String, _ count: Int) -> String {
                Array(repeating: text, count: count).joined(separator: "&")
            }
            for count in [items, items + 1] { add(repeated("limit=1", count), count > items) }
            add(repeated("sort_key=id", Limits.list.sortKeys.most), false)
            add("x=" + String(repeating: "a", count: length - 1), true)
            for limit in [0, 1] { add("limit=\(Limits.list.page.most + limit)", false) }
            let shapes = await traced(route, nil, version).compactMap { event -> (String, HTTPKit.Shape)? in
                if case .query(let name, let shape) = event { (name, shape) } else { nil }
            }
            for name in Set(Self.names + shapes.map(\.0)).sorted() {
                let encoded = Percent.encode(name)
                add("\(encoded)=" + String(repeating: "a", count: length - encoded.utf8.count - 1), false)
                for count in [values, values + 1] {
                    add("\(encoded)=" + Array(repeating: "1", count: count).joined(separator: ","), count > values)
                }
            }
        }
        return cases
    }

    func check(_ one: QueryCase, _ seed: UInt64) async {
        let reply = await send(.get, "\(path(one.route))?\(one.query)", version: one.version)
        let asked = "\(one.route.name) \(one.version)?\(one.query.prefix(60))"
        let what = "\(asked), seed \(seed): \(reply.status) \(reply.text.prefix(300))"
        guard reply.status.code < 500 || reply.status == .notImplemented else { return #expect(Bool(false), "\(what)") }
        guard one.isRefused else { return }
        #expect(reply.status == .badRequest && isEnvelope(reply), "\(what)")
    }
}
