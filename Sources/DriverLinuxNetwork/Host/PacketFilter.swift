import CloudCore
import Crypto
import Drivers
import Foundation
import HostModel
import Programs

/// The packet filter of one namespace: put in as one transaction, and not touched while it is as it was put in.
struct PacketFilter {
    let namespace: Namespace
    let table: String
    let families: [String]

    /// Whether the kernel lists what it listed after `text` was put in.
    func isAsWritten(_ text: String, _ applied: HostMemory.Applied?) throws(CloudError) -> Bool {
        guard let applied, applied.written == Self.digest(text) else { return false }
        return try listing() == applied.listed
    }

    /// Replaces all of it at one moment.
    ///
    /// - Throws: `unavailable` with what the kernel or the program said; then nothing has changed.
    func replace(by text: String) throws(CloudError) -> HostMemory.Applied {
        try ChildProcess.require("nft", ["-f", "-"], input: text, in: namespace)
        return HostMemory.Applied(written: Self.digest(text), listed: try listing())
    }

    func remove() throws(CloudError) {
        let text = families.map { "add table \($0) \(table)\ndelete table \($0) \(table)\n" }.joined()
        try ChildProcess.require("nft", ["-f", "-"], input: text, in: namespace)
    }

    func check(_ text: String) throws(CloudError) -> Bool {
        try ChildProcess.run("nft", ["-c", "-f", "-"], input: text, in: namespace).status == 0
    }

    /// A digest of the tables as they are; that of nothing when there are none.
    private func listing() throws(CloudError) -> String {
        var text = ""
        for family in families {
            let outcome = try ChildProcess.run("nft", ["list", "table", family, table], in: namespace)
            guard outcome.status == 0 else { return "" }
            text += String(decoding: outcome.output, as: UTF8.self)
        }
        return Self.digest(Self.ordered(text))
    }

    /// With the elements of each set sorted: the kernel lists them in the order of a hash table that it may rearrange at any time.
    static func ordered(_ listing: String) -> String {
        var text = ""
        var elements: String?
        for line in listing.split(separator: "\n") {
            let words = line.trimmingCharacters(in: .whitespaces)
            if elements == nil, !words.hasPrefix("elements = {") {
                text += words.replacing(/\{ ([^}]*) \}/) { sorted($0.1) } + "\n"
                continue
            }
            let all = (elements.map { $0 + " " } ?? "") + words
            elements = words.hasSuffix("}") ? nil : all
            guard elements == nil else { continue }
            text += sorted(all.dropFirst("elements = {".count).dropLast()) + "\n"
        }
        return text
    }

    private static func sorted(_ elements: Substring) -> String {
        elements.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }.sorted().joined(separator: ",")
    }

    static func digest(_ text: String) -> String { Hex.text(SHA256.hash(data: Array(text.utf8))) }
}
