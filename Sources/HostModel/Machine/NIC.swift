import CloudCore

/// A network card of a machine, and the tap device of the host in which it ends. The network driver makes the tap.
package struct NIC: Hashable, Sendable, Codable {
    /// The port's id.
    package var id: String
    /// The MAC address in lower case, such as `52:54:00:12:34:56`.
    package var mac: String
    /// The name of a device of the host, at most 15 characters. The device must exist when the machine starts.
    package var tap: String
    /// The model; nil for the machine's own (`Hardware.nicModel`).
    package var model: NICModel?
    /// The MTU in bytes; nil leaves it to the guest.
    package var mtu: Int?

    package init(id: String, mac: String, tap: String, model: NICModel? = nil, mtu: Int? = nil) {
        self.id = id
        self.mac = mac
        self.tap = tap
        self.model = model
        self.mtu = mtu
    }

    func check() throws(CloudError) {
        guard PathPart.isPlain(id) else { throw .badRequest("A network card's id must be 1 to 64 of a-z, 0-9, - and _.") }
        let octets = mac.split(separator: ":", omittingEmptySubsequences: false)
        guard octets.count == 6, octets.allSatisfy({ $0.utf8.count == 2 && Hex.bytes($0) != nil }), mac == mac.lowercased() else {
            throw .badRequest("A network card's address must be six pairs of lower case hexadecimal digits.")
        }
        guard (1...15).contains(tap.utf8.count), PathPart.isPlain(tap) else {
            throw .badRequest("A tap device's name must be 1 to 15 of a-z, 0-9, - and _.")
        }
        if let mtu, !(68...65_535).contains(mtu) { throw .badRequest("A network card's MTU must be 68 to 65535.") }
    }
}

/// The model of a card, in libvirt's and Nova's words (`hw_vif_model`).
package enum NICModel: String, Hashable, Sendable, Codable, CaseIterable {
    case virtio, e1000, e1000e, rtl8139, vmxnet3, ne2k_pci, pcnet
}
