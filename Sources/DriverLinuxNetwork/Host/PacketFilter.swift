import CloudCore
import Crypto
import Drivers
import Foundation
import HostModel
import Programs

/// The packet filter of one namespace. It is written in one transaction, and left alone while it is as it was written.
struct PacketFilter {
    let namespace: Namespace
    let table: String
    let families: [String]

    /// Returns whether the kernel still lists what it listed after `text` was written.
    func isAsWritten(_ text: String, _ applied: HostMemory.Applied?) throws(CloudError) -> Bool {
        guard let applied, applied.written == Self.digest(text) else { return false }
        return try listing() == applied.listed
    }

    /// Replaces the whole filter at one moment.
    ///
    /// - Throws: `unavailable` with the kernel's or the program's words. Then nothing has changed.
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

    /// Returns a digest of the present tables; an empty text if one is missing.
    private func listing() throws(CloudError) -> String {
        var text = ""
        for family in families {
            let outcome = try ChildProcess.run("nft", ["list", "table", family, table], in: namespace)
            guard outcome.status == 0 else { return "" }
            text += String(decoding: outcome.output, as: UTF8.self)
        }
        return Self.digest(Self.ordered(text))
    }

    /// Returns a listing with the elements of each set sorted. The kernel lists them in the order of a hash table,
    /// which it may rearrange at any time.
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
