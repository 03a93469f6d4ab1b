import CloudCore

/// The image of another region from which `glance-download` takes data and properties.
struct SourceImage: Sendable, Codable, Equatable {
    let id: String
    let region: String
    /// The interface of the image service: `public`, `internal` or `admin`.
    let interface: String

    static let standardInterface = "public"

    /// Reads the source image.
    ///
    /// - Parameter method: the `method` of an import's body.
    /// - Throws: `badRequest` that names the fault.
    init(_ method: JSON) throws {
        func text(_ name: String) throws -> String? {
            guard let value = method[name] else { return nil }
            guard let text = value.string else { throw CloudError.badRequest("'\(name)' must be a string.") }
            return text
        }
        func needed(_ name: String) -> CloudError {
            .badRequest("'\(name)' needs to be set for \(ImportMethod.glanceDownload.rawValue) import method")
        }
        guard let region = try text("glance_region") else { throw needed("glance_region") }
        guard let id = method["glance_image_id"] else { throw needed("glance_image_id") }
        // The id becomes part of a URL, so any other form is refused, even if Python accepts it as a UUID.
        guard let known = id.string, known.wholeMatch(of: /[0-9a-fA-F]{8}(-?[0-9a-fA-F]{4}){3}-?[0-9a-fA-F]{12}/) != nil else {
            throw CloudError.badRequest("Remote image id does not look like a UUID: \((id.string ?? id.typeName).prefix(255))")
        }
        self.id = known
        self.region = region
        interface = try text("glance_service_interface") ?? Self.standardInterface
    }
}

/// The description of a source image, as far as it is taken over.
struct SourceFacts: Sendable, Codable, Equatable {
    /// The size of the data in bytes.
    let size: Int64
    /// The SHA-512 in hexadecimal; nil if the source has a digest of another kind.
    let sha512: String?
    let diskFormat: String
    let containerFormat: String
    let properties: [String: String]

    /// The prefixes of the properties that are taken over: the default of Glance's `glance_download_properties`.
    private static let prefixes = ["hw_", "trait:", "os_distro", "os_secure_boot", "os_type"]

    /// Reads the description.
    ///
    /// - Parameter answer: the image as its service shows it.
    /// - Throws: `conflict` if the image is not active; `badRequest` if the answer is no image, or has values that no
    ///   image here could have.
    init(_ answer: JSON) throws {
        guard let status = answer["status"]?.string else { throw Fetcher.unusable("it is no image") }
        guard status == Image.Status.active.rawValue else {
            throw CloudError.conflict("The source image has the status \(status.prefix(64)); it must be active.")
        }
        guard let size = answer["size"]?.integer, size >= 0 else { throw Fetcher.unusable("the image's size cannot be determined") }
        guard let disk = answer["disk_format"]?.string, let container = answer["container_format"]?.string else {
            throw Fetcher.unusable("the image has no formats")
        }
        var taken: JSONObject = ["disk_format": .string(disk), "container_format": .string(container)]
        for (name, value) in answer.object?.members ?? [] where Self.takes(name) { taken[name] = value }
        // The values get the same check as a user's own changes, because another cloud may allow what this one does
        // not.
        try ImageFields.check(taken)
        self.size = size
        sha512 = answer["os_hash_algo"]?.string == ImageData.hashAlgorithm ? answer["os_hash_value"]?.string : nil
        (diskFormat, containerFormat) = (disk, container)
        properties = Dictionary(taken.members.compactMap { name, value in Self.takes(name) ? value.string.map { (name, $0) } : nil }) { $1 }
    }

    private static func takes(_ name: String) -> Bool {
        prefixes.contains(where: name.hasPrefix) && ImageFields.byName[name] == nil && !ImageFields.isReserved(name)
    }
}

extension Image {
    /// Takes over the description of a source image, within the limits of the image's user.
    ///
    /// - Throws: `tooLarge` if there would be too many properties.
    mutating func take(_ facts: SourceFacts) throws {
        let before = self
        (diskFormat, containerFormat) = (facts.diskFormat, facts.containerFormat)
        for (name, value) in facts.properties.sorted(by: { $0.key < $1.key }) { properties[name] = .string(value) }
        try requireBoundedProperties(before: before)
    }
}
