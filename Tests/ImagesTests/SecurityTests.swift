import CloudCore
import ControlPlane
import HTTPKit
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Images

/// Past security holes of OpenStack's image service.
@Suite("Images: advisories", .timeLimit(.minutes(15)))
struct SecurityTests {
    @Test("ossa_2015_014 An image that refers to a file of the host is refused, whatever format is declared")
    func ossa_2015_014() async throws {
        try await ImagesStage.run { stage in
            // A qcow2 whose backing file is /etc/passwd.
            var bytes: [UInt8] = Array("QFI".utf8) + [0xfb, 0, 0, 0, 3]
            bytes += [0, 0, 0, 0, 0, 0, 1, 0] + [0, 0, 0, 11] + [0, 0, 0, 16] + Array(repeating: 0, count: 232) + Array("/etc/passwd".utf8)
            bytes += Array(repeating: 0, count: 70_000)
            for format in ["qcow2", "raw", "vmdk", "ami"] {
                let id = try await stage.make(["disk_format": .string(format)])
                await stage.upload(bytes, to: id, .unsupportedMediaType)
                #expect(await stage.image(id)["status"] == "queued", "\(format)")
            }
        }
    }

    @Test("ossa_2014_041 A location is never a file of the host or a URL that a caller chose")
    func ossa_2014_041() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            for url in ["file:///etc/passwd", "filesystem:///etc/passwd", "swift+config:///x", "http://127.0.0.1/", "blob://file/../../../etc/passwd", "blob:///x"] {
                let value: JSON = ["url": .string(url), "metadata": [:]]
                for (token, status) in [(stage.demo, HTTPResponse.Status.forbidden), (stage.admin, .badRequest)] {
                    await stage.patch(id, [["op": "add", "path": "/locations/-", "value": value]], as: token, status)
                    await stage.patch(id, [["op": "replace", "path": "/locations", "value": [value]]], as: token, status)
                }
                await stage.send(.post, "/images/\(id)/locations", ["url": .string(url)], as: stage.demo, .forbidden)
            }
            #expect(await stage.image(id)["status"] == "queued")
        }
    }

    @Test("ossa_2015_019 No caller can set a status or a size, or replace the data of an active image")
    func ossa_2015_019() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            await stage.upload([1, 2, 3], to: id)
            for (name, value) in [("status", "queued"), ("size", 1), ("checksum", "x"), ("os_hash_value", "x"), ("virtual_size", 1)] as [(String, JSON)] {
                for token in [stage.demo, stage.admin] {
                    await stage.patch(id, [["op": "replace", "path": .string("/\(name)"), "value": value]], as: token, .forbidden)
                    await stage.patch(id, [["op": "add", "path": .string("/\(name)"), "value": value]], as: token, .forbidden)
                    await stage.patch(id, [["op": "remove", "path": .string("/\(name)")]], as: token, .forbidden)
                }
            }
            // The attack of the advisory: remove the last location, so that the image is queued again, and upload other
            // data.
            await stage.patch(id, [["op": "remove", "path": "/locations/0"]], as: stage.admin, .forbidden)
            await stage.patch(id, [["op": "replace", "path": "/locations", "value": []]], as: stage.admin, .forbidden)
            await stage.upload([4, 5, 6], to: id, .conflict)
            await stage.upload([4, 5, 6], to: id, as: stage.admin, .conflict)
            await stage.send(.post, "/images/\(id)/actions/deactivate", as: stage.admin, .noContent)
            await stage.upload([4, 5, 6], to: id, .conflict)
            #expect(await stage.send(.get, "/images/\(id)/file", as: stage.admin, .ok).bytes == [1, 2, 3])
        }
    }

    @Test("ossa_2012_008 Names and other fields that a user chooses are never used as paths")
    func ossa_2012_008() async throws {
        try await ImagesStage.run { stage in
            let path = "../../../../etc/passwd"
            await stage.send(.post, "/images", ["id": .string(path)], as: stage.admin, .badRequest)
            let id = try await stage.make(["name": .string(path), "tags": [.string(path)], "kernel_id": .string(path), "x": .string(path)])
            await stage.upload([1, 2, 3], to: id, headers: [.imageStore: path], .badRequest)
            await stage.upload([1, 2, 3], to: id)
            #expect(await stage.image(id)["name"] == .string(path))
            await stage.send(.get, "/images/\(id)/file?prefer=../../etc", as: stage.admin, .badRequest)
            let copy: JSON = ["method": ["name": "copy-image"], "stores": [.string(path)]]
            await stage.send(.post, "/images/\(id)/import", copy, as: stage.admin, .conflict)
            await stage.send(.delete, "/stores/..%2F..%2Fetc/\(id)", as: stage.admin, .conflict)
            #expect(await stage.send(.get, "/images/\(id)/file", as: stage.demo, .ok).bytes == [1, 2, 3])
        }
    }

    @Test("ossa_2012_017 Nobody can change, fill or delete an image of another project, whatever its visibility")
    func ossa_2012_017() async throws {
        try await ImagesStage.run { stage in
            for visibility in ["private", "shared", "community", "public"] {
                let id = try await stage.make(["visibility": .string(visibility), "owner": .string(stage.demoProject)], as: stage.admin)
                if visibility == "shared" {
                    await stage.send(.post, "/images/\(id)/members", ["member": .string(stage.otherProject)], as: stage.demo, .ok)
                }
                let status: HTTPResponse.Status = visibility == "private" ? .notFound : .forbidden
                await stage.send(.delete, "/images/\(id)", as: stage.other, status)
                await stage.upload([1], to: id, as: stage.other, status)
                await stage.patch(id, [["op": "add", "path": "/x", "value": "y"]], as: stage.other, status)
                await stage.send(.put, "/images/\(id)/tags/x", as: stage.other, status)
                await stage.send(.post, "/images/\(id)/actions/deactivate", as: stage.other, status)
                await stage.send(.post, "/images/\(id)/members", ["member": "x"], as: stage.other, status)
                await stage.send(.delete, "/stores/file/\(id)", as: stage.other, status)
                await stage.send(.delete, "/images/\(id)", as: stage.demo, .noContent)
            }
        }
    }

    @Test("ossa_2015_020 An image that is deleted during its upload is not counted or kept")
    func ossa_2015_020() async throws {
        try await ImagesStage.run { stage in
            let id = try await stage.make()
            let context = stage.cloud.cloud.images.context
            let now = stage.cloud.world.now
            let lease = UploadLease(imageID: ID(id), kind: .saving, owner: "one that is filling it")
            #expect(try await context.write { tx in try context.uploads.take(lease, at: now, until: now + UploadLease.duration, in: tx) })
            await stage.send(.delete, "/images/\(id)", as: stage.demo, .noContent)
            let usage = await stage.send(.get, "/info/usage", as: stage.demo, .ok).json["usage"]
            for name in ["image_count_total", "image_size_total", "image_count_uploading", "image_stage_total"] {
                #expect(usage?[name]?["usage"] == 0, "\(name)")
            }
        }
    }
}
