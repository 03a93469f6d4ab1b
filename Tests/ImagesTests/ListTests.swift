import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Images

@Suite("Images: lists", .timeLimit(.minutes(15)))
struct ListTests {
    @Test("Lists are filtered by every member, property and tag", arguments: DatabaseKind.allCases)
    func filters(_ kind: DatabaseKind) async throws {
        try await ImagesStage.run(on: kind) { stage in
            let a = try await stage.make(["name": "a", "tags": ["x", "y"], "os_type": "linux", "min_ram": 1])
            await stage.upload([1], to: a)
            stage.cloud.clock.advance(by: .seconds(10))
            let b = try await stage.make(["name": "b,\"c\"", "tags": ["x"], "os_type": "windows", "disk_format": "iso", "protected": true])
            stage.cloud.clock.advance(by: .seconds(10))
            try await stage.upload(Array(repeating: 7, count: 300), to: stage.make(["name": "c", "os_hidden": true]))
            for (query, names) in [
                ("", ["b,\"c\"", "a"]), ("os_hidden=true", ["c"]), ("name=a", ["a"]), ("id=\(b)", ["b,\"c\""]), ("id=in:\(a),\(b)", ["b,\"c\"", "a"]),
                ("name=in:a,%22b,%5C%22c%5C%22%22", ["b,\"c\"", "a"]), ("name=eq:a", ["a"]), ("status=active", ["a"]),
                ("status=in:queued,saving", ["b,\"c\""]), ("disk_format=in:iso,raw", ["b,\"c\"", "a"]), ("container_format=ova", []),
                ("tag=x", ["b,\"c\"", "a"]), ("tag=x&tag=y", ["a"]), ("os_type=linux", ["a"]), ("os_type=linux&tag=z", []), ("nothing=x", []),
                ("size=1", ["a"]), ("size_min=1", ["a"]), ("size_max=0", []), ("size_min=1&os_hidden=true", ["c"]), ("min_ram=1", ["a"]),
                ("protected=true", ["b,\"c\""]), ("owner=\(stage.demoProject)", ["b,\"c\"", "a"]), ("owner=x", []),
                ("created_at=2026-01-01T00:00:00Z", ["a"]), ("created_at=gt:2026-01-01T00:00:00Z", ["b,\"c\""]),
                ("created_at=gte:2026-01-01T00:00:00Z", ["b,\"c\"", "a"]), ("created_at=lt:2026-01-01T00:00:10Z", ["a"]),
                ("created_at=lte:2026-01-01T00:00:10Z", ["b,\"c\"", "a"]), ("created_at=neq:2026-01-01T00:00:10Z", ["a"]),
                ("created_at=gt:2025", ["b,\"c\"", "a"]), ("created_at=gte:2026-01", ["b,\"c\"", "a"]), ("created_at=2026-01-01T00:00", ["a"]),
                ("created_at=lt:20260101T000010", ["a"]), ("created_at=gte:2026-01-01T00:00:10,5Z", ["b,\"c\""]),
                ("updated_at=eq:2026-01-01T00:00:10Z", ["b,\"c\""]), ("visibility=shared", ["b,\"c\"", "a"]), ("visibility=private", []),
                ("sort=name:asc", ["a", "b,\"c\""]), ("sort_key=size&sort_dir=desc", ["a", "b,\"c\""]), ("sort=size:asc,name", ["b,\"c\"", "a"]),
                ("sort_key=disk_format&sort_key=name&sort_dir=asc&sort_dir=desc", ["b,\"c\"", "a"]), ("sort=status:asc", ["a", "b,\"c\""]),
                ("limit=1", ["b,\"c\""]), ("limit=0", []), ("marker=\(b)", ["a"]), ("checksum=55a54008ad1ba589aa210d2629c1df41", ["a"]),
            ] {
                #expect(await stage.names(query) == names, "\(query)")
            }
            for query in [
                "limit=x", "limit=-1", "marker=none", "sort=owner", "sort=name:up", "sort=name&sort_key=name", "sort_dir=up",
                "sort_key=name&sort_dir=asc&sort_dir=desc", "visibility=secret", "member_status=maybe", "os_hidden=perhaps", "protected=1",
                "name=like:x", "name=in:%22a", "created_at=yesterday", "created_at=near:2026-01-01T00:00:00Z", "size_min=big", "changes-since=1",
            ] {
                await stage.send(.get, "/images?\(query)", as: stage.demo, .badRequest)
            }
            await stage.send(.get, "/images", as: nil, .unauthorized)
        }
    }

    @Test("Pages link to each other and together show every image once")
    func pages() async throws {
        try await ImagesStage.run { stage in
            for number in 1...7 {
                _ = try await stage.make(["name": .string("\(number % 3)"), "number": .string("\(number)")])
            }
            var seen: [String] = []
            var next: String? = "/v2/images?limit=3&sort=name:asc,size:desc&visibility=shared"
            var links = 0
            while let path = next {
                let page = await stage.cloud.send(.get, "/image" + path, token: stage.demo).json
                seen += (page["images"]?.array ?? []).compactMap { $0["number"]?.string }
                #expect(page["first"]?.string == "/v2/images?limit=3&sort=name%3Aasc%2Csize%3Adesc&visibility=shared")
                #expect(page["schema"] == "/v2/schemas/images")
                next = page["next"]?.string
                links += 1
                if links > 5 { break }
            }
            #expect(links == 3)
            #expect(seen.sorted() == (1...7).map(String.init))
        }
    }

    @Test("A list costs one transaction whatever its length")
    func cost() async throws {
        try await ImagesStage.run { stage in
            for number in 1...30 { _ = try await stage.make(["name": .string("\(number)"), "a": "b", "tags": ["t"]]) }
            let before = stage.cloud.database.transactions
            #expect(await stage.names("limit=1").count == 1)
            let one = stage.cloud.database.transactions - before
            #expect(await stage.names().count == ImageList.standardLimit)
            #expect(stage.cloud.database.transactions - before == 2 * one)
        }
    }

    @Test("A value of in: is parsed with its quotes")
    func listed() throws {
        #expect(try ImageList.listed("a,b c,") == ["a", "b c"])
        #expect(try ImageList.listed(#""a,b","c\"d",e"#) == ["a,b", #"c"d"#, "e"])
        #expect(try ImageList.listed(#""a""#) == ["a"])
        for text in [#""a"#, #""a"b"#, #"a"b"#, #""a\""#] { #expect(throws: CloudError.self, "\(text)") { try ImageList.listed(text) } }
    }
}
