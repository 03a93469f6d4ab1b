package import CloudCore

/// The answer of the metadata service to a path.
package enum MetadataAnswer: Sendable, Hashable {
    case text([UInt8])
    case json([UInt8])
    /// The guest's password, which is read by GET and stored by POST.
    case password

    package static func lines(_ lines: [String]) -> MetadataAnswer { .text(Array(lines.joined(separator: "\n").utf8)) }
}

/// The paths of the metadata service: OpenStack's tree below `/openstack`, and EC2's tree at the root.
package struct MetadataTree: Sendable {
    private let metadata: InstanceMetadata
    private let random: any Randomness

    package init(_ metadata: InstanceMetadata, random: any Randomness) {
        self.metadata = metadata
        self.random = random
    }

    /// The answer to the root path: the versions of EC2's tree. It is the same for every guest.
    package static var root: MetadataAnswer { .lines(EC2Metadata.versions + ["latest"]) }

    /// Returns the answer to a path.
    ///
    /// - Parameter path: the path of the request without the query. Empty segments are ignored.
    /// - Returns: nil if the path does not exist.
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

    /// The same trees as the files of a config drive, by path.
    package var files: [String: [UInt8]] {
        OpenStackMetadata(metadata, random: random).files.merging(EC2Metadata(metadata).files) { first, _ in first }
    }
}
