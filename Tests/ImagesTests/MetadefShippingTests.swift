import CloudCore
import HTTPTypes
import SQL
import TestSupport
import Testing

@testable import Images

@Suite("Metadata definitions that come with the cloud")
struct MetadefShippingTests {
    @Test("Every user finds the namespaces that clients look for, by resource type and target")
    func found() async throws {
        try await TestCloud.run { cloud in
            let member = try await MetadefClient.member(cloud)
            let names = await member.names("/namespaces?limit=100", "namespaces", "namespace")
            #expect(Set(names) == Set(ShippedMetadef.all.map(\.name)))
            for name in [
                "OS::Compute::Libvirt", "OS::Compute::LibvirtImage", "OS::Compute::CPUPinning", "OS::Compute::VirtCPUTopology",
                "OS::Compute::Watchdog", "OS::Compute::GuestMemoryBacking", "OS::Compute::Quota", "OS::Glance::CommonImageProperties",
                "OS::OperatingSystem", "OS::Software::DBMS", "OS::Software::Runtimes", "OS::Software::WebServers",
            ] {
                #expect(names.contains(name), "\(name)")
            }
            let flavors = await member.names("/namespaces?limit=100&resource_types=OS::Nova::Flavor", "namespaces", "namespace")
            #expect(flavors.contains("OS::Compute::Quota") && !flavors.contains("OS::Compute::LibvirtImage"))
            let hints = await member.names(
                "/namespaces?resource_types=OS::Nova::Server&properties_target=scheduler_hints", "namespaces", "namespace")
            #expect(hints.contains("OS::Compute::ServerPlacement"))
            // A dashboard asks like this for the properties of flavors.
            let pinning = await member.ask(.get, "/namespaces/OS::Compute::CPUPinning?resource_type=OS::Nova::Flavor")
            #expect(pinning["properties"]?["hw:cpu_policy"]?["enum"] == ["shared", "dedicated"])
            #expect(pinning["visibility"] == "public" && pinning["protected"] == true)
            let databases = await member.ask(.get, "/namespaces/OS::Software::DBMS/objects/Redis")
            #expect(databases["properties"]?["sw_database_redis_listen_port"]?["default"] == 6379)
        }
    }

    @Test("Each shipped namespace is valid, and each of its properties has a title and a description", arguments: ShippedMetadef.all.map(\.name))
    func valid(name: String) throws {
        let shipped = try #require(ShippedMetadef.all.first { $0.name == name })
        try MetadefSchemaCheck(document: MetadefSchemas.namespace).check(shipped.body)
        let properties = shipped.properties + shipped.objects.flatMap(\.properties)
        #expect(!properties.isEmpty)
        for property in properties { #expect(!property.title.isEmpty && property.summary.hasSuffix("."), "\(property.name)") }
        #expect(Set(properties.map(\.name)).count == properties.count)
    }

    @Test("A shipped namespace that an operator changed or deleted stays so, and the operator's own are untouched")
    func onceOnly() async throws {
        try await TestCloud.run { cloud in
            let admin = MetadefClient(cloud: cloud, token: try await cloud.token())
            let (watchdog, libvirt) = ("/namespaces/OS::Compute::Watchdog", "/namespaces/OS::Compute::Libvirt")
            await admin.refuses(.delete, watchdog, nil, .forbidden)
            await admin.ask(.put, watchdog, ["namespace": "OS::Compute::Watchdog", "visibility": "public", "protected": false])
            await admin.ask(.delete, watchdog, nil, .noContent)
            await admin.ask(.put, libvirt, ["namespace": "OS::Compute::Libvirt", "description": "Ours.", "visibility": "public"])
            // A later version ships this namespace, but the operator has made one with its name.
            await admin.namespace("OS::Own", ["description": "Ours."])
            try await cloud.database.write { tx in
                try tx.execute("DELETE FROM image_metadef_namespace WHERE namespace = 'OS::Compute::Quota'")
                try tx.execute("DELETE FROM image_metadef_shipped WHERE namespace IN ('OS::Compute::Quota', 'OS::Compute::TPM')")
            }
            let before = await admin.ask(.get, "/namespaces/OS::Compute::TPM")
            let again = try await cloud.restarted()
            let later = MetadefClient(cloud: again, token: admin.token)
            await later.refuses(.get, watchdog, nil, .notFound)
            #expect(await later.ask(.get, libvirt)["description"] == "Ours.")
            #expect(await later.ask(.get, "/namespaces/OS::Own")["description"] == "Ours.")
            #expect(await later.ask(.get, "/namespaces/OS::Compute::Quota")["objects"]?.array?.count == 3)
            #expect(await later.ask(.get, "/namespaces/OS::Compute::TPM") == before)
        }
    }
}
