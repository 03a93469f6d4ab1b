import CloudCore
import HTTPTypes
import TestSupport
import Testing

@Suite("Volume types")
struct TypeTests {
    @Test("A cloud has a type, which volumes get if nothing else is said and which cannot be deleted")
    func usual() async throws {
        try await VolumeClient.run { _, admin, demo in
            #expect(await demo.names("/types", "volume_types") == ["__DEFAULT__"])
            let id = try #require(await demo.good(.get, "/types/default")["volume_type"]?["id"]?.string)
            await admin.refused(.badRequest, .delete, "/types/\(id)")
            await demo.refused(.forbidden, .post, "/types", ["volume_type": ["name": "x"]])
        }
    }

    @Test("The answers to a creation and a change have fewer members than that to a show")
    func members() async throws {
        try await VolumeClient.runAsAdmin { _, admin in
            let made = await admin.good(.post, "/types", ["volume_type": ["name": "t"]])["volume_type"]?.object
            let access = "os-volume-type-access:is_public"
            let names = ["id", "name", "is_public", "extra_specs", "description"]
            #expect(made?.members.map(\.key) == names + [access])
            let path = "/types/\(made?["id"]?.string ?? "")"
            let changed = await admin.good(.put, path, ["volume_type": ["description": "d"]])["volume_type"]?.object
            #expect(changed?.members.map(\.key) == names)
            let shown = await admin.good(.get, path)["volume_type"]?.object
            #expect(Set(shown?.members.map(\.key) ?? []) == Set(names + [access, "qos_specs_id"]))
        }
    }

    @Test("Extra specs are changed while no volume has the type, and users see only some")
    func specs() async throws {
        try await VolumeClient.run { _, admin, demo in
            let id = try await admin.type("t", ["volume_backend_name": "volumes"])
            await admin.good(.post, "/types/\(id)/extra_specs", ["extra_specs": ["multiattach": "<is> False"]])
            #expect(await demo.good(.get, "/types/\(id)/extra_specs")["extra_specs"] == ["multiattach": "<is> False"])
            #expect(await admin.good(.get, "/types/\(id)")["volume_type"]?["extra_specs"]?.object?.count == 2)
            await admin.good(.put, "/types/\(id)/extra_specs/multiattach", ["multiattach": "<is> True"])
            await admin.good(.delete, "/types/\(id)/extra_specs/multiattach")
            await admin.refused(.notFound, .get, "/types/\(id)/extra_specs/multiattach")
            _ = try await demo.volume(["volume_type": "t"])
            let more: JSON = ["extra_specs": ["a": "b"]]
            #expect(
                await admin.refused(.badRequest, .post, "/types/\(id)/extra_specs", more)
                    == "Volume Type is currently in use.")
            #expect(await admin.refused(.badRequest, .delete, "/types/\(id)") == "Target volume type is still in use.")
        }
    }

    @Test("A private type is for the projects that have access to it")
    func access() async throws {
        try await VolumeClient.run { _, admin, demo in
            let body: JSON = ["volume_type": ["name": "own", "os-volume-type-access:is_public": false]]
            let id = try #require(await admin.good(.post, "/types", body)["volume_type"]?["id"]?.string)
            #expect(await demo.names("/types", "volume_types") == ["__DEFAULT__"])
            #expect(await admin.names("/types?is_public=None", "volume_types").count == 2)
            await demo.refused(.notFound, .post, "/volumes", ["volume": ["size": 1, "volume_type": "own"]])
            let volume = try await demo.volume()
            let project = await demo.show(volume)["os-vol-tenant-attr:tenant_id"] ?? .null
            await admin.good(.post, "/types/\(id)/action", ["addProjectAccess": ["project": project]])
            await admin.refused(.conflict, .post, "/types/\(id)/action", ["addProjectAccess": ["project": project]])
            #expect(await demo.names("/types", "volume_types").count == 2)
            let who = await admin.good(.get, "/types/\(id)/os-volume-type-access")["volume_type_access"]?.array
            #expect(who?.first?["project_id"] == project)
            await admin.good(.post, "/types/\(id)/action", ["removeProjectAccess": ["project": project]])
            await demo.refused(.notFound, .get, "/types/\(id)")
        }
    }

    @Test("A project has its own default type from 3.62 on")
    func defaults() async throws {
        try await VolumeClient.run { _, admin, demo in
            _ = try await admin.type("fast")
            let first = await demo.show(try await demo.volume())
            let project = try #require(first["os-vol-tenant-attr:tenant_id"]?.string)
            let path = "/default-types/\(project)"
            await admin.refused(.notFound, .get, path)
            await admin.good(.put, path, ["default_type": ["volume_type": "fast"]])
            #expect(await demo.show(try await demo.volume())["volume_type"] == "fast")
            #expect(await admin.good(.get, "/default-types")["default_types"]?.array?.count == 1)
            await admin.good(.delete, path)
            #expect(await demo.show(try await demo.volume())["volume_type"] == "__DEFAULT__")
            await admin.refused(.notFound, .get, path, minor: 61)
        }
    }

    @Test("No type and no volume is encrypted, and that is what is answered")
    func encryption() async throws {
        try await VolumeClient.run { _, admin, demo in
            let type = try await admin.type("t")
            #expect(await admin.good(.get, "/types/\(type)/encryption") == [:])
            let message = await admin.refused(.notFound, .get, "/types/\(type)/encryption/cipher")
            #expect(message == "Volume type encryption for type \(type) does not exist.")
            await admin.refused(.notFound, .get, "/types/00000000-0000-4000-8000-000000000000/encryption")
            await demo.refused(.forbidden, .get, "/types/\(type)/encryption")
            let volume = try await demo.volume()
            #expect(await demo.good(.get, "/volumes/\(volume)/encryption") == ["encryption_key_id": .null])
        }
    }

    @Test("QoS specs are made, changed, given to types and deleted")
    func qos() async throws {
        try await VolumeClient.runAsAdmin { _, admin in
            let type = try await admin.type("t")
            let body: JSON = ["qos_specs": ["name": "q", "consumer": "front-end", "total_iops_sec": "100"]]
            let id = try #require(await admin.good(.post, "/qos-specs", body)["qos_specs"]?["id"]?.string)
            await admin.refused(.conflict, .post, "/qos-specs", body)
            await admin.good(.put, "/qos-specs/\(id)", ["qos_specs": ["read_iops_sec": "5"]])
            await admin.good(.put, "/qos-specs/\(id)/delete_keys", ["keys": ["total_iops_sec"]])
            #expect(await admin.good(.get, "/qos-specs/\(id)")["qos_specs"]?["specs"] == ["read_iops_sec": "5"])
            await admin.good(.get, "/qos-specs/\(id)/associate?vol_type_id=\(type)")
            let associations = await admin.good(.get, "/qos-specs/\(id)/associations")["qos_associations"]?.array
            #expect(associations?.first?["id"] == .string(type))
            #expect(await admin.refused(.badRequest, .delete, "/qos-specs/\(id)") == "Qos specs still in use.")
            await admin.good(.delete, "/qos-specs/\(id)?force=true")
            #expect(await admin.good(.get, "/types/\(type)")["volume_type"]?["qos_specs_id"] == .null)
        }
    }
}
