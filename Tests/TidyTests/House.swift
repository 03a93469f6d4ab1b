import ControlPlane
import Foundation
import ServiceKit
import Testing

/// The files of the repository, as the rules read them.
enum House {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The targets of the services: the names of their assemblies, in the order of the list.
    static var services: [String] { Cloud.services.map { $0.name } }

    struct Source: CustomTestStringConvertible {
        let target: String
        /// The path from the repository's root.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
        /// The folders between the target's folder and the file.
        var folders: [Substring] { Array(path.split(separator: "/").dropFirst(2).dropLast()) }
        /// The name of the file without its extension.
        var name: Substring { path.split(separator: "/").last?.dropLast(".swift".count) ?? "" }
        var testDescription: String { path }
    }

    static func sources(below folder: String) throws -> [Source] {
        let walk = FileManager.default.enumerator(at: root.appending(path: folder), includingPropertiesForKeys: nil)
        let files = walk?.compactMap { $0 as? URL } ?? []
        return try files.filter { $0.pathExtension == "swift" }.map { file in
            let path = String(file.path.dropFirst(root.path.count + 1))
            return Source(
                target: path.split(separator: "/").dropFirst().first.map(String.init) ?? "", path: path,
                text: try String(contentsOf: file, encoding: .utf8))
        }.sorted { $0.path < $1.path }
    }

    /// Returns the sources of the product, without tests, test support and benchmarks.
    static func product() throws -> [Source] {
        try sources(below: "Sources").filter { !["TestSupport", "novella-bench"].contains($0.target) }
    }

    static func text(of path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
