import CloudCore
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Images

/// The limits on what one caller may make the service do.
@Suite("Images: limits", .timeLimit(.minutes(15)))
struct BoundsTests {
    private func properties(_ count: Int, of length: Int = 1) -> JSONObject {
        JSONObject((0..<count).map { ("p\($0)", JSON.string(String(repeating: "v", count: length))) })
    }

    @Test("A Range header is parsed in linear time, however many blanks it has")
    func blanks() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], to: id)
            func read(_ name: HTTPField.Name, _ text: String) async -> TestCloud.Response {
                await stage.cloud.send(.get, "/image/v2/images/\(id)/file", token: stage.demo, headers: [name: text])
            }
            let blanks = String(repeating: " ", count: 30_000)
            let started = ContinuousClock.now
            for text in ["bytes=\(blanks)x", "bytes\(blanks)=1\(blanks)x", "bytes=1\(blanks)-\(blanks)2x", "bytes=1-\(blanks)x"] {
                #expect(await read(.range, text).status == .rangeNotSatisfiable)
            }
            #expect(await read(.range, "bytes=\(blanks)2\(blanks)-\(blanks)3\(blanks)").bytes == [2, 3])
            #expect(ContinuousClock.now - started < .seconds(2))
            for (text, bytes) in [
                ("bytes=0-0", [0]), ("bytes=8-", [8, 9]), ("bytes=-3", [7, 8, 9]), ("bytes = 1 - 2 ", [1, 2]), ("bytes=5-100", [5, 6, 7, 8, 9]),
                ("bytes=-99999999999999999999", Array(0..<10)),
            ] as [(String, [UInt8])] {
                #expect(await read(.range, text).bytes == bytes, "\(text)")
            }
            for text in ["", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=1", "bytes=3-1", "bytes=10-", "byte=1-2", "bytes=1-2-3", "bytes=٣-"] {
                #expect(await read(.range, text).status == .rangeNotSatisfiable, "\(text)")
            }
            #expect(await read(.contentRange, "bytes 1-2/10").bytes == [1, 2])
            #expect(await read(.contentRange, "bytes 1-2/*").bytes == [1, 2])
            for text in ["bytes 1-2", "bytes 1-2/", "bytes 1-2/x", "bytes 1-2/*1", "bytes 2-1/10", "bytes 1-10/10", "bytes -2/10", "bytes  1-2/10"] {
                #expect(await read(.contentRange, text).status == .rangeNotSatisfiable, "\(text)")
            }
        }
    }

    @Test("A project that takes its downloads slowly does not keep another from downloading")
    func slowReaders() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make(["visibility": "public"], as: stage.admin)
            await stage.upload([1, 2, 3], to: id, as: stage.admin)
            let path = "/image/v2/images/\(id)/file"
            // The replies hold their places for as long as nobody reads them to the end.
            var held: [Reply] = []
            while held.count < 100 {
                let reply = await stage.cloud.reply(.get, path, token: stage.demo)
                if reply.status != .ok {
                    #expect(reply.status == .serviceUnavailable && reply.headers[.retryAfter] == "5")
                    break
                }
                held.append(reply)
            }
            #expect(held.count == 32)
            // A range and a second image take places of the same share.
            let part = await stage.cloud.send(.get, path, token: stage.demo, headers: [.range: "bytes=0-0"])
            #expect(part.status == .serviceUnavailable)
            for _ in 0..<100 { #expect(await stage.cloud.send(.get, path, token: stage.other).bytes == [1, 2, 3]) }
            held = []
            #expect(await stage.cloud.send(.get, path, token: stage.demo).bytes == [1, 2, 3])
        }
    }

    @Test("A project has as many images as allowed; a registered limit allows more or fewer")
    func count() async throws {
        try await ImagesStage.run { stage in
            let first = try await stage.make()
            try await stage.cloud.database.write { tx in
                let row = try #require(try tx.rows("SELECT * FROM image WHERE id = ?", first).first)
                let marks = row.values.map { _ in "?" }.joined(separator: ", ")
                for number in 2..<Limits.owner.images.most {
                    // The first column is the id.
                    let values = [.text("image-\(number)")] + row.values.dropFirst()
                    try tx.execute("INSERT INTO image VALUES (\(marks))", arguments: values)
                }
            }
            await stage.send(.post, "/images", ["name": "last"], as: stage.demo, .created)
            let refused = await stage.send(.post, "/images", ["name": "more"], as: stage.demo, .contentTooLarge)
            #expect(refused.text.contains("it has 2000 of image_count_total, asks for 1 more, and may have 2000"))
            await stage.send(.post, "/images", ["name": "theirs"], as: stage.other, .created)
            // No answer about limits shows this one.
            let usage = await stage.send(.get, "/info/usage", as: stage.demo, .ok).json["usage"]
            #expect(usage?["image_count_total"] == ["usage": 2000, "limit": -1])
            try await register(2001, stage)
            await stage.send(.post, "/images", ["name": "more"], as: stage.demo, .created)
            await stage.send(.post, "/images", ["name": "more"], as: stage.demo, .contentTooLarge)
        }
    }

    private func register(_ limit: Int64, _ stage: ImagesStage) async throws {
        let listed = await stage.cloud.send(.get, "/v3/services?type=image", token: stage.admin).json["services"]
        let service = try #require(listed?.array?.first?["id"]?.string)
        let body: JSON = [
            "registered_limits": [
                [
                    "service_id": .string(service), "resource_name": "image_count_total",
                    "default_limit": .integer(limit),
                ]
            ]
        ]
        let made = await stage.cloud.send(.post, "/v3/registered_limits", token: stage.admin, json: body)
        #expect(made.status == .created, "\(made.text)")
    }

    @Test("A repeated sort key is ignored, and too many sort keys are refused")
    func sortKeys() async throws {
        try await ImagesStage.run { stage in
            for name in ["a", "b", "c"] { _ = try await stage.make(["name": .string(name)]) }
            let ids = await stage.send(.get, "/images?sort=name:asc", as: stage.demo, .ok).json["images"]?.array?.compactMap { $0["id"]?.string } ?? []
            let first = try #require(ids.first)
            let started = ContinuousClock.now
            let many = Array(repeating: "name:asc", count: 30).joined(separator: ",")
            #expect(await stage.names("sort=\(many)&marker=\(first)") == ["b", "c"])
            // The first direction counts.
            #expect(await stage.names("sort=name:asc,name:desc") == ["a", "b", "c"])
            #expect(await stage.names("sort_key=name&sort_dir=asc&sort_key=name&sort_dir=desc&marker=\(first)") == ["b", "c"])
            #expect(ContinuousClock.now - started < .seconds(2))
            let tooMany = Array(repeating: "name", count: 2000).joined(separator: ",")
            await stage.send(.get, "/images?sort=\(tooMany)", as: stage.demo, .badRequest)
        }
    }

    @Test("An image with more than 128 properties is refused at its creation")
    func properties() async throws {
        try await ImagesStage.run { stage in
            await stage.send(.post, "/images", .object(properties(128)), as: stage.demo, .created)
            let refused = await stage.send(.post, "/images", .object(properties(129)), as: stage.demo, .contentTooLarge)
            #expect(refused.json["message"]?.string?.contains("128") == true)
            await stage.send(.post, "/images", .object(properties(20_000)), as: stage.demo, .contentTooLarge)
        }
    }

    @Test("The properties of an image have at most 256 KiB together, at its creation and later")
    func propertyBytes() async throws {
        try await ImagesStage.run { stage in
            await stage.send(.post, "/images", .object(properties(5, of: 60_000)), as: stage.demo, .contentTooLarge)
            // The limit counts JSON, in which a control character takes six bytes.
            let controls = JSON.string(String(repeating: "\u{1}", count: 50_000))
            await stage.send(.post, "/images", ["a": controls], as: stage.demo, .contentTooLarge)
            let made = await stage.send(.post, "/images", .object(properties(4, of: 60_000)), as: stage.demo, .created)
            let id = try #require(made.json["id"]?.string)
            let more = JSON.string(String(repeating: "v", count: 60_000))
            await stage.patch(id, [["op": "add", "path": "/p4", "value": more]], .contentTooLarge)
            await stage.patch(id, [["op": "replace", "path": "/p3", "value": "v"], ["op": "add", "path": "/p4", "value": more]])
        }
    }

    @Test("A page ends early if its images exceed the bytes of a page, and the next page continues")
    func pageBytes() async throws {
        try await ImagesStage.run { stage in
            let count = 10
            for number in 0..<count {
                var body = properties(4, of: 60_000)
                body["name"] = .string("image-\(number)")
                await stage.send(.post, "/images", .object(body), as: stage.demo, .created)
            }
            var (names, pages) = ([String](), 0)
            var path: String? = "/images?limit=1000&sort=name:asc"
            while let next = path, pages < 10 {
                let page = await stage.send(.get, next, as: stage.demo, .ok)
                #expect(page.bytes.count < ImageBounds.pageWeight + 16_384)
                names += page.json["images"]?.array?.compactMap { $0["name"]?.string } ?? []
                path = page.json["next"]?.string.map { String($0.dropFirst(3)) }
                pages += 1
            }
            // Four images of 240,000 characters fit into a page.
            #expect(pages == 3)
            #expect(names == (0..<count).map { "image-\($0)" }.sorted())
        }
    }

    @Test("A filter value that is a time is not read as an operator")
    func timesAreNoOperators() async throws {
        try await ImagesStage.run { stage in
            for name in ["2016-04-17T22:10:00Z", "2016-04-17T22:10", "20160417T22:10:00Z"] {
                _ = try await stage.make(["name": .string(name)])
                #expect(await stage.names("name=\(name)") == [name])
                #expect(await stage.names("name=in:a,\(name)") == [name])
            }
            await stage.send(.get, "/images?name=2016-04-17X22:10:00Z", as: stage.demo, .badRequest)
        }
    }
}
