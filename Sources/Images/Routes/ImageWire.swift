import CloudCore
import HTTPKit

/// The forms of images and members in the API.
enum ImageWire {
    /// Returns the path of an image. Links begin at the service's own root, as in the reference, so that they are right
    /// behind any proxy.
    static func path(_ id: ID<Kind.Image>) -> String { "/v2/images/\(id)" }

    /// Writes the members of an image.
    ///
    /// - Parameter showsLocations: whether `locations` is written.
    static func write(_ image: Image, showsLocations: Bool = false, _ json: inout JSONWriter) {
        json.member("id", image.id)
        json.member("name", image.name)
        json.member("status", image.status.rawValue)
        json.member("visibility", image.visibility.rawValue)
        json.member("owner", image.owner)
        json.member("protected", image.isProtected)
        json.member("os_hidden", image.isHidden)
        json.member("disk_format", image.diskFormat)
        json.member("container_format", image.containerFormat)
        json.member("min_ram", image.minRAM)
        json.member("min_disk", image.minDisk)
        json.member("size", image.size)
        json.member("virtual_size", image.virtualSize)
        json.member("checksum", image.checksum)
        json.member("os_hash_algo", image.hashAlgorithm)
        json.member("os_hash_value", image.hashValue)
        json.member("created_at", image.createdAt.iso8601Seconds)
        json.member("updated_at", image.updatedAt.iso8601Seconds)
        json.array("tags", of: image.tags) { $0.string($1) }
        json.member("self", path(image.id))
        json.member("file", path(image.id) + "/file")
        json.member("schema", "/v2/schemas/image")
        if showsLocations {
            json.array("locations", of: image.locations) { json, location in json.object { write(location, &$0) } }
        }
        if !image.locations.isEmpty { json.member("stores", image.locations.map(\.store).joined(separator: ",")) }
        json.members(of: image.properties)
    }

    static func write(_ location: Image.Location, _ json: inout JSONWriter) {
        json.member("url", location.url)
        var metadata = location.metadata
        metadata["store"] = .string(location.store)
        json.member("metadata", .object(metadata))
    }

    static func write(_ member: ImageMember, _ json: inout JSONWriter) {
        json.member("member_id", member.memberID)
        json.member("image_id", member.imageID)
        json.member("status", member.status.rawValue)
        json.member("created_at", member.createdAt.iso8601Seconds)
        json.member("updated_at", member.updatedAt.iso8601Seconds)
        json.member("schema", "/v2/schemas/member")
    }
}
