import CloudCore
@testable import Compute
import HostModel
import Testing
import TestSupport

@Suite("Documents of the metadata service")
struct MetadataTests {
    private var metadata: InstanceMetadata {
        var metadata = InstanceMetadata(
            id: "1b2c3d4e-0000-4000-8000-000000000001", projectID: "p", name: "a \"web\"", hostname: "web", zone: "nova")
        metadata.key = InstanceMetadata.Key(name: "mine", data: "ssh-ed25519 AAAA me")
        metadata.metadata = ["role": "web", "b": "2"]
        metadata.userData = Array("#!/bin/sh\n".utf8)
        metadata.flavor = "m1.tiny"
        metadata.imageID = "99999999-0000-4000-8000-000000000001"
        metadata.reservationID = "r-1"
        metadata.securityGroups = ["default", "web"]
        metadata.devices = [InstanceMetadata.Device(kind: "nic", mac: "52:54:00:00:00:01", tags: ["uplink"])]
        metadata.adminPassword = Secret("hidden")
        metadata.interfaces = [
            GuestCard(
                port: "44444444-aaaa-4000-8000-000000000001", network: "n1", mac: "52:54:00:00:00:01", mtu: 1450,
                subnets: [
                    subnet("10.0.0.5", "10.0.0.0/24", "10.0.0.1") { $0.dns = [ip("10.0.0.53")] },
                    subnet("2001:db8::5", "2001:db8::/64", "2001:db8::1") { $0.addressMode = "slaac" },
                ], floatingIPs: [ip("203.0.113.9")]),
            GuestCard(
                port: "55555555-aaaa-4000-8000-000000000001", network: "n2", mac: "52:54:00:00:00:02", mtu: 1500,
                subnets: [
                    subnet("10.9.0.5", "10.9.0.0/20", "10.9.0.1") { subnet in
                        (subnet.dns, subnet.hasDHCP) = ([ip("10.0.0.53"), ip("9.9.9.9")], false)
                        subnet.routes = [.init(to: net("10.20.0.0/16"), by: ip("10.9.0.2"))]
                    }
                ]),
        ]
        return metadata
    }

    private func subnet(
        _ address: String, _ prefix: String, _ gateway: String, _ change: (inout GuestCard.Subnet) -> Void
    ) -> GuestCard.Subnet {
        var subnet = GuestCard.Subnet(address: ip(address), prefix: net(prefix), gateway: ip(gateway))
        change(&subnet)
        return subnet
    }

    private func ip(_ text: String) -> IPAddress { IPAddress(text) ?? IPAddress(.v4, 0) }
    private func net(_ text: String) -> IPPrefix { IPPrefix(text, alone: true) ?? IPPrefix(IPAddress(.v4, 0), 0) }

    private func answer(_ path: String, _ change: (inout InstanceMetadata) -> Void = { _ in }) -> MetadataAnswer? {
        var metadata = metadata
        change(&metadata)
        return MetadataTree(metadata, random: World.test().random).answer(path)
    }

    private func text(_ path: String, _ change: (inout InstanceMetadata) -> Void = { _ in }) -> String? {
        switch answer(path, change) {
        case .text(let bytes), .json(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    private func json(_ path: String) throws -> JSON { try JSON.parse(#require(text(path))) }

    @Test("The tree lists the versions and the files of each")
    func versions() {
        #expect(text("/openstack")?.hasPrefix("2012-08-10\n2013-04-04\n") == true)
        #expect(text("/openstack/")?.hasSuffix("\n2020-10-14\n2025-04-04\nlatest") == true)
        #expect(text("/")?.split(separator: "\n").count == 10 && text("/") == text("/ec2"))
        #expect(text("/openstack/2012-08-10") == "meta_data.json\nuser_data")
        #expect(text("/openstack/2013-10-17/") == "meta_data.json\nuser_data\npassword\nvendor_data.json")
        #expect(text("/openstack/latest") == "meta_data.json\nuser_data\npassword\nvendor_data.json\nnetwork_data.json\nvendor_data2.json")
        #expect(text("/openstack/latest") { $0.userData = nil }?.contains("user_data") == false)
        for path in [
            "/openstack/2011-01-01", "/openstack/latest/nothing", "/openstack/2012-08-10/vendor_data.json", "/openstack/2012-08-10/password",
            "/openstack/latest/meta_data.json/uuid", "/openstack/latest/content/0000", "/2008-13-01/meta-data", "/latest/meta-data/nothing",
            "/latest/meta-data/hostname/x", "/../etc/passwd", "/latest/../openstack",
        ] { #expect(answer(path) == nil, "\(path)") }
        #expect(answer("/openstack/latest/user_data") { $0.userData = nil } == nil)
        #expect(answer("/openstack/latest/password") == .password)
    }

    @Test("Each version of meta_data.json has the fields of its time, and none has the administrator's password")
    func document() throws {
        let latest = try json("//openstack//latest/meta_data.json")
        #expect(latest["uuid"] == .string(metadata.id) && latest["name"] == "a \"web\"" && latest["hostname"] == "web" && latest["launch_index"] == 0)
        #expect(latest["meta"] == ["role": "web", "b": "2"] && latest["availability_zone"] == "nova" && latest["project_id"] == "p")
        #expect(latest["public_keys"] == ["mine": "ssh-ed25519 AAAA me"])
        #expect(latest["keys"] == [["name": "mine", "type": "ssh", "data": "ssh-ed25519 AAAA me"]])
        #expect(latest["random_seed"]?.string?.utf8.count == 684)
        #expect(latest["devices"] == [["vf_trusted": false, "type": "nic", "mac": "52:54:00:00:00:01", "bus": "none", "address": "none", "tags": ["uplink"]]])
        #expect(latest["dedicated_cpus"] == [] && latest["admin_pass"] == nil)
        let keys = { (version: String) in Set(try json("/openstack/\(version)/meta_data.json").object?.keys ?? []) }
        let first: Set<String> = ["uuid", "meta", "public_keys", "keys", "hostname", "name", "launch_index", "availability_zone"]
        #expect(try keys("2012-08-10") == first)
        #expect(try keys("2013-04-04") == first.union(["random_seed"]))
        #expect(try keys("2015-10-15") == first.union(["random_seed", "project_id"]))
        #expect(try keys("2016-06-30") == first.union(["random_seed", "project_id", "devices"]))
        #expect(try keys("2020-10-14") == first.union(["random_seed", "project_id", "devices", "dedicated_cpus"]))
        #expect(try json("/openstack/latest/vendor_data.json") == [:] && json("/openstack/latest/vendor_data2.json") == ["static": [:]])
        #expect(text("/openstack/latest/user_data") == "#!/bin/sh\n" && text("/latest/user-data") == "#!/bin/sh\n")
    }

    @Test("network_data.json has the settings that DHCP does not give")
    func networks() throws {
        let data = try json("/openstack/latest/network_data.json")
        #expect(data["links"]?.array?.map { $0["id"] } == ["tap44444444-aa", "tap55555555-aa"])
        #expect(data["links"]?.array?.map { $0["mtu"] } == [.null, 1500])
        let networks = try #require(data["networks"]?.array)
        #expect(networks.map { $0["type"] } == ["ipv4_dhcp", "ipv6_slaac", "ipv4"] && networks.map { $0["id"] } == ["network0", "network1", "network2"])
        #expect(networks[0].object?.keys == ["id", "type", "link", "network_id"])
        #expect(networks[1]["netmask"] == "ffff:ffff:ffff:ffff::" && networks[1]["ip_address"] == "2001:db8::5")
        #expect(networks[2]["netmask"] == "255.255.240.0" && networks[2]["link"] == "tap55555555-aa")
        #expect(
            networks[2]["routes"] == [
                ["network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": "10.9.0.1"],
                ["network": "10.20.0.0", "netmask": "255.255.0.0", "gateway": "10.9.0.2"],
            ])
        #expect(data["services"] == [["type": "dns", "address": "10.0.0.53"], ["type": "dns", "address": "9.9.9.9"]])
        #expect(text("/openstack/latest/network_data.json") { $0.interfaces = [] } == "{}")
    }

    @Test("EC2's tree has one value for each path, and a folder lists its contents")
    func tree() {
        #expect(text("/latest") == "meta-data/\nuser-data" && text("/2009-04-04/") == text("/latest"))
        #expect(text("/latest") { $0.userData = nil } == "meta-data/")
        let names = [
            "ami-id", "ami-launch-index", "ami-manifest-path", "block-device-mapping/", "hostname", "instance-action", "instance-id", "instance-type",
            "local-hostname", "local-ipv4", "placement/", "public-hostname", "public-ipv4", "public-keys/", "reservation-id", "security-groups",
        ]
        #expect(text("/latest/meta-data/")?.split(separator: "\n").map(String.init) == names)
        #expect(text("/1.0/meta-data")?.contains("public-ipv4") == false && text("/2007-01-19/meta-data/public-ipv4") == "203.0.113.9")
        for (name, value) in [
            "ami-id": "ami-99999999", "instance-id": "i-1b2c3d4e", "local-ipv4": "10.0.0.5", "security-groups": "default\nweb", "instance-type": "m1.tiny",
            "public-keys": "0=mine", "public-keys/0": "openssh-key", "public-keys/0/openssh-key": "ssh-ed25519 AAAA me",
            "placement/availability-zone": "nova", "block-device-mapping": "ami\nroot", "block-device-mapping/root": "/dev/vda", "ami-launch-index": "0",
        ] { #expect(text("/latest/meta-data/" + name) == value, "\(name)") }
    }

    @Test("A config drive has the same files, and also the administrator's password")
    func files() throws {
        let files = MetadataTree(metadata, random: World.test().random).files
        let text = { (path: String) in files[path].map { String(decoding: $0, as: UTF8.self) } }
        #expect(text("openstack/latest/user_data") == "#!/bin/sh\n" && text("ec2/latest/user-data") == "#!/bin/sh\n")
        #expect(text("openstack/latest/network_data.json") == self.text("/openstack/latest/network_data.json"))
        #expect(try JSON.parse(#require(text("openstack/latest/meta_data.json")))["admin_pass"] == "hidden")
        let ec2 = try JSON.parse(#require(text("ec2/2009-04-04/meta-data.json")))
        #expect(ec2["public-keys"] == ["0": ["openssh-key": "ssh-ed25519 AAAA me"]] && ec2["security-groups"] == ["default", "web"])
        #expect(files.keys.filter { $0.hasPrefix("openstack/") }.count == 11 * 2 + 9 + 8 + 6)
        #expect(files["openstack/latest/password"] == nil)
    }
}
