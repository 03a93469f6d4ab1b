import CLibvirt
import CloudCore
import Foundation
import HostModel

/// A client of QEMU's own monitor (QMP). With it a driver takes back what a killed process has begun in a machine's
/// QEMU before libvirt could record it: libvirt does not know of it, and would give its name and place to the next
/// device. It runs on a thread that may block.
struct EmulatorMonitor {
    let calls: LibvirtConnection.Calls
    let id: MachineID
    let domain: OpaquePointer

    /// Sends a command to QEMU's monitor.
    ///
    /// - Returns: the answer; nil if QEMU refuses, because the thing to remove does not exist.
    @discardableResult
    func ask(_ command: String, _ arguments: JSONObject = [:]) throws -> JSON? {
        var allocated: UnsafeMutablePointer<CChar>?
        let question = JSON.object(["execute": .string(command), "arguments": .object(arguments)]).text
        try calls.check("ask QEMU of \(id): \(command)", calls.functions.virDomainQemuMonitorCommand(domain, question, &allocated, 0))
        guard let answer = calls.text(allocated), let json = try? JSON.parse(answer) else {
            throw CloudError.internalError("QEMU of \(id) answered \(command) with no JSON")
        }
        return json["return"]
    }

    /// Removes a card that libvirt does not know: the device that the guest sees, its backend, and the tap that was
    /// handed over for it.
    ///
    /// - Parameter card: libvirt's alias of the card.
    /// - Throws: `conflict` (transient) if the guest does not release the card.
    func removeCard(_ card: String) throws {
        try removeDevice(card)
        try ask("netdev_del", ["id": .string("host" + card)])
        // These are libvirt's names for the files that it hands over. QEMU keeps them until a card is made from them.
        for file in ["tapfd-\(card)0", "vhostfd-\(card)0"] { try ask("closefd", ["fdname": .string(file)]) }
    }

    /// Ends copies of disks into files below the folder, and releases the files. libvirt must know of no such copy at
    /// that time.
    ///
    /// - Throws: `conflict` (transient) if they do not end.
    func endCopies(into folder: String) throws {
        func files() throws -> [Node] { try nodes { $0.hasPrefix(folder + "/") } }
        guard try !files().isEmpty else { return }
        func copies() throws -> [String] {
            (try ask("query-jobs")?.array ?? []).filter { $0["type"]?.string == "backup" }.compactMap { $0["id"]?.string }
        }
        try wait("The last copy of the disk does not end.", "copy_kept") {
            for copy in try copies() {
                // A copy that has ended waits to be dismissed; QEMU refuses to dismiss one that has not ended.
                if try ask("job-dismiss", ["id": .string(copy)]) == nil { try ask("job-cancel", ["id": .string(copy)]) }
            }
            return try copies().isEmpty
        }
        try remove(files())
    }

    /// Removes a volume that libvirt does not know: the device that the guest sees, and the file behind it. QEMU's lock
    /// would keep the file from everybody else.
    ///
    /// - Parameter disk: libvirt's alias of the disk.
    /// - Throws: `conflict` (transient) if the guest does not release it.
    func removeDisk(_ disk: String, file: String) throws {
        try removeDevice(disk)
        try remove(nodes { $0 == file })
    }

    private func removeDevice(_ alias: String) throws {
        let ask = { _ = try self.ask("device_del", ["id": .string(alias)]) }
        try wait("The guest does not let go of the device.", "device_kept", repeating: ask) { try !hasDevice(alias) }
    }

    /// Returns whether QEMU has the file open.
    func hasFile(_ path: String) throws -> Bool { try !nodes { $0 == path }.isEmpty }

    func hasDevice(_ alias: String) throws -> Bool {
        (try ask("qom-list", ["path": "/machine/peripheral"])?.array ?? []).contains { $0["name"]?.string == alias }
    }

    /// A part of QEMU that reads a file, or the format in it.
    private struct Node {
        var name: String
        var isFormat: Bool
    }

    private func nodes(of isWanted: (String) -> Bool) throws -> [Node] {
        (try ask("query-named-block-nodes", ["flat": true])?.array ?? []).compactMap { node in
            guard let file = node["file"]?.string, isWanted(file), let name = node["node-name"]?.string else {
                return nil
            }
            return Node(name: name, isFormat: node["drv"]?.string != "file")
        }
    }

    private func remove(_ nodes: [Node]) throws {
        for node in nodes.sorted(by: { $0.isFormat && !$1.isFormat }) {
            try ask("blockdev-del", ["node-name": .string(node.name)])
        }
    }

    /// Checks ten times a second, for 30 seconds, until the condition holds.
    private func wait(_ words: String, _ code: String, repeating: () throws -> Void = {}, until isSo: () throws -> Bool) throws {
        for turn in 0..<300 {
            if try isSo() { return }
            // A guest that is still starting does not react, so the request is repeated.
            if turn % 30 == 0 { try repeating() }
            usleep(100_000)
        }
        var kept = CloudError(.conflict, words, detail: "\(id)", code: code)
        kept.isTransient = true
        throw kept
    }
}
