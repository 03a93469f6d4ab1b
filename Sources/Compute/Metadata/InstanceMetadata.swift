package import CloudCore
package import HostModel

/// What a server's guest may know of itself: it finds it on its config drive, or asks the metadata service for it.
package struct InstanceMetadata: Sendable {
    /// A public key that its owner logs in with.
    package struct Key: Sendable, Hashable {
        package var name: String
        /// `ssh` or `x509`.
        package var kind: String
        package var data: String

        package init(name: String, kind: String = "ssh", data: String) {
            self.name = name
            self.kind = kind
            self.data = data
        }
    }

    /// A device that its user has given a tag.
    package struct Device: Sendable, Hashable {
        /// `nic` or `disk`.
        package var kind: String
        /// `pci`, `usb`, `scsi`, `ide`; `none` when nobody knows.
        package var bus: String
        package var address: String
        /// Of a card.
        package var mac: String?
        /// Of a disk.
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

    /// A UUID.
    package var id: String
    package var projectID: String
    package var name: String
    package var hostname: String
    package var zone: String
    package var launchIndex = 0
    package var reservationID = ""
    package var flavor = ""
    /// A UUID; nil for a server that was made from no image.
    package var imageID: String?
    package var kernelID: String?
    package var ramdiskID: String?
    /// The user's own.
    package var metadata: [String: String] = [:]
    package var key: Key?
    /// As the guest gets it: not base64.
    package var userData: [UInt8]?
    /// Names.
    package var securityGroups: [String] = []
    package var interfaces: [GuestCard] = []
    package var devices: [Device] = []
    /// Processors of the host that are the guest's alone.
    package var dedicatedCPUs: [Int] = []
    /// What disks are in the guest, as `/dev/vda`.
    package var rootDevice = "/dev/vda"
    package var ephemeralDevices: [String] = []
    package var swapDevice: String?
    /// What the guest has posted as its password, encrypted with its owner's key; empty: nothing yet.
    package var password = ""
    /// Only for a config drive: whoever can read the metadata service is not always the administrator.
    package var adminPassword: Secret?
    /// What the operator tells all guests.
    package var vendorData = JSONObject()

    package init(id: String, projectID: String, name: String, hostname: String, zone: String) {
        self.id = id
        self.projectID = projectID
        self.name = name
        self.hostname = hostname
        self.zone = zone
    }
}
