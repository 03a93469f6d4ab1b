package import CloudCore

/// What the metadata service answers a path with.
package enum MetadataAnswer: Sendable, Hashable {
    case text([UInt8])
    case json([UInt8])
    /// The guest's password: read by GET, given by POST.
    case password

    package static func lines(_ lines: [String]) -> MetadataAnswer { .text(Array(lines.joined(separator: "\n").utf8)) }
}

/// The two trees of the metadata service, OpenStack's below `/openstack` and EC2's at the root, as paths.
package struct MetadataTree: Sendable {
    private let metadata: InstanceMetadata
    private let random: any Randomness

    package init(_ metadata: InstanceMetadata, random: any Randomness) {
        self.metadata = metadata
        self.random = random
    }

    /// The versions of EC2's tree are listed at the root, which is known without knowing who asks.
    package static var root: MetadataAnswer { .lines(EC2Metadata.versions + ["latest"]) }

    /// - Parameter path: as in the request, without the query; empty segments count for nothing.
    /// - Returns: nil for what is not there.
    package func answer(_ path: String) -> MetadataAnswer? {
        let words = path.split(separator: "/").map(String.init).filter { $0 != "." }
        guard !words.contains("..") else { return nil }
        switch words.first {
        case nil: return Self.root
        case "openstack": return OpenStackMetadata(metadata, random: random).answer(words.dropFirst())
        case "ec2": return EC2Metadata(metadata).answer(words.dropFirst())
        default: return EC2Metadata(metadata).answer(words[...])
        }
    }

    /// The same as files of a config drive, by path.
    package var files: [String: [UInt8]] {
        OpenStackMetadata(metadata, random: random).files.merging(EC2Metadata(metadata).files) { first, _ in first }
    }
}
