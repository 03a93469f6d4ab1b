import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import TestSupport
import Testing

@testable import Images

@Suite("Images: every route", .timeLimit(.minutes(15)))
struct RouteTests {
    private static let open: Set<String> = ["GET /", "GET /versions", "GET /v2"]
    private static let missing = "00000000-0000-4000-8000-000000000000"

    private static func routes(_ stage: ImagesStage) -> [Route] { stage.cloud.cloud.images.service.routes.filter { !open.contains($0.name) } }

    /// Returns the path with a word for each brace.
    private static func path(_ route: Route, _ words: [String: String] = [:]) -> String {
        "/image" + route.path.replacing(/\{(\w+)\}/) { words[String($0.1)] ?? missing }
    }

    @Test("Every route of an image that does not exist is a 404")
    func missingImages() async throws {
        try await ImagesStage.run { stage in
            for route in Self.routes(stage) where route.path.hasPrefix("/v2/images/{image_id}") {
                for token in [stage.demo, stage.admin] {
                    let bytes = Array(#"[{"op": "add", "path": "/a", "value": "b"}]"#.utf8)
                    let reply =
                        switch (route.method, route.path.hasSuffix("/file") || route.path.hasSuffix("/stage")) {
                        case (.patch, _):
                            await stage.cloud.send(
                                .patch, Self.path(route), token: token, bytes: bytes, type: "application/openstack-images-v2.1-json-patch")
                        case (.put, true):
                            await stage.cloud.send(.put, Self.path(route), token: token, bytes: bytes, type: "application/octet-stream")
                        default:
                            await stage.cloud.send(
                                route.method, Self.path(route), token: token,
                                json: ["member": "x", "status": "accepted", "url": "x", "method": ["name": "glance-direct"]])
                        }
                    #expect(reply.status == .notFound, "\(route.name): \(reply.text)")
                }
            }
        }
    }

    @Test("No request that a client sends causes a 5xx", arguments: DatabaseKind.allCases)
    func fuzz(_ kind: DatabaseKind) async throws {
        try await ImagesStage.run(on: kind) { stage in
            let id = try await stage.make()
            var random = SplitMix64(seed: 7)
            let values: [JSON] = [
                .null, true, -1, 0, 9_223_372_036_854_775_807, 1.5, "", "x", "\u{0}", "a\u{0}b", "é\u{1F600}", "%00", "/", "//", "~", "none", "in:", "gt:",
                "\"", "9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", .string(String(repeating: "x", count: 300)), [], [[]], [1], ["x"], [:],
                ["op": "add"], ["a": ["b": []]], ["url": "blob://file/x", "metadata": [:]],
            ]
            let keys = Array(ImageFields.byName.keys) + ["member", "url", "validation_data", "op", "path", "value", "add", "replace", "x", "", "\u{0}"]
            func value() -> JSON { values.randomElement(using: &random) ?? .null }
            func object() -> JSON {
                .object(JSONObject((0..<Int.random(in: 0...3, using: &random)).map { _ in (keys.randomElement(using: &random) ?? "", value()) }))
            }
            let names = keys.filter { !$0.contains("\u{0}") } + ["limit", "marker", "sort", "sort_key", "sort_dir", "tag", "member_status", "size_min", "prefer"]
            func query() -> String {
                (0..<Int.random(in: 0...3, using: &random)).map { _ in
                    "\(names.randomElement(using: &random) ?? "")=\(Percent.encode(value().string ?? value().text))"
                }.joined(separator: "&")
            }
            let words = [id, Self.missing, "x", "%FF", "%00", "..", "é", "\"'"]
            for route in Self.routes(stage) where route.method != .delete || route.path != "/v2/images/{image_id}" {
                for round in 0..<25 {
                    let path = "/image" + route.path.replacing(/\{(\w+)\}/) { match in
                        round.isMultiple(of: 2) && match.1 == "image_id" ? id : Percent.encode(words.randomElement(using: &random) ?? "")
                    } + "?" + query()
                    let body: JSON = route.method == .patch ? .array([
                        ["op": .string(["add", "replace", "remove"].randomElement(using: &random) ?? ""), "path": .string("/\(keys.randomElement(using: &random) ?? "")"), "value": value()], object(),
                    ].shuffled(using: &random)) : (round.isMultiple(of: 3) ? value() : object())
                    let type = route.method == .patch ? "application/openstack-images-v2.1-json-patch" : "application/json"
                    let ranges = ["bytes=0-", "bytes=-1", "bytes=1-0", "x", "bytes=99999999999999999999-"]
                    let reply = await stage.cloud.send(
                        route.method, path, token: round.isMultiple(of: 5) ? stage.admin : stage.demo, bytes: route.method == .get ? nil : Array(body.text.utf8),
                        type: type, headers: [.range: ranges.randomElement(using: &random) ?? "", .contentRange: "bytes 5-1/*"])
                    #expect(reply.status.code < 500, "\(route.name) \(path) \(body.text): \(reply.text)")
                }
            }
        }
    }
}
