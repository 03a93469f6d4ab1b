package import CloudCore
package import HostModel

/// The values that a guest may read about its own server, on its config drive or from the metadata service.
package struct InstanceMetadata: Sendable {
    /// A public key with which the server's owner logs in.
    package struct Key: Sendable, Hashable {
        package var name: String
        /// The kind of the key: `ssh` or `x509`.
        package var kind: String
        package var data: String

        package init(name: String, kind: String = "ssh", data: String) {
            self.name = name
            self.kind = kind
            self.data = data
        }
    }

    /// A device to which the user has given a tag.
    package struct Device: Sendable, Hashable {
        /// The kind of the device: `nic` or `disk`.
        package var kind: String
        /// The bus of the device: `pci`, `usb`, `scsi` or `ide`; `none` if it is unknown.
        package var bus: String
        package var address: String
        /// The MAC address; only for network cards.
        package var mac: String?
        /// The serial number; only for disks.
        package var serial: String?
        package var tags: [String]

        package init(kind: String, bus: String = "none", address: String = "none", mac: String? = nil, serial: String? = nil, tags: [String]) {
            self.kind = kind
            self.bus = bus
            self.address = address
            self.mac = mac
            self.serial = serial
            self.tags = tags
        }
    }

    /// The server's id, a UUID.
    package var id: String
    package var projectID: String
    package var name: String
    package var hostname: String
    package var zone: String
    package var launchIndex = 0
    package var reservationID = ""
    package var flavor = ""
    /// The image's id, a UUID; nil for a server that was not created from an image.
    package var imageID: String?
    package var kernelID: String?
    package var ramdiskID: String?
    /// The metadata that the user has set.
    package var metadata: [String: String] = [:]
    package var key: Key?
    /// The user data as the guest gets it, decoded from Base64.
    package var userData: [UInt8]?
    /// The names of the security groups.
    package var securityGroups: [String] = []
    package var interfaces: [GuestCard] = []
    package var devices: [Device] = []
    /// The CPUs of the host that only this guest uses.
    package var dedicatedCPUs: [Int] = []
    /// The name of the root disk in the guest, such as `/dev/vda`.
    package var rootDevice = "/dev/vda"
    package var ephemeralDevices: [String] = []
    package var swapDevice: String?
    /// The password that the guest has posted, encrypted with its owner's public key; empty if there is none.
    package var password = ""
    /// The administrator's password. Only a config drive has it, because other users of the guest can read the metadata
    /// service.
    package var adminPassword: Secret?
    /// The metadata that the operator gives to all guests.
    package var vendorData = JSONObject()

    package init(id: String, projectID: String, name: String, hostname: String, zone: String) {
        self.id = id
        self.projectID = projectID
        self.name = name
        self.hostname = hostname
        self.zone = zone
    }
}
