package import CloudCore
import HTTPKit
package import NIOCore

/// The functions for services that make servers, in the name of the server's user.
extension ImagesAssembly {
    /// An image for making a server.
    package struct Summary: Sendable {
        package let id: String
        package let name: String
        package let isActive: Bool
        package let diskFormat: String?
        /// The least disk in GiB, the least RAM in MiB, and the size of the data in bytes.
        package let minDisk: Int
        package let minRAM: Int
        package let size: Int64
        package let properties: [String: String]
    }

    /// Returns the summary of an image.
    ///
    /// - Throws: `CloudError.notFound` for an image that does not exist or that the caller cannot see.
    package func summary(of id: String, by caller: Principal) async throws -> Summary {
        let image = try await ImageService(context: context).get(ID(id), by: caller)
        return Summary(
            id: image.id.text, name: image.name ?? "", isActive: image.status == .active, diskFormat: image.diskFormat,
            minDisk: Int(image.minDisk), minRAM: Int(image.minRAM), size: image.size ?? 0,
            properties: Dictionary(image.properties.members.compactMap { key, value in value.string.map { (key, $0) } }) { $1 })
    }

    /// Creates a qcow2 image of the caller that waits for its data. An image that exists already stays as it is.
    package func reserve(_ id: String, name: String, minDisk: Int, properties: [String: String], by caller: Principal) async throws {
        var body: JSONObject = [
            "id": .string(id), "name": .string(name), "disk_format": "qcow2", "container_format": "bare",
            "min_disk": .integer(Int64(minDisk)), "visibility": "private",
        ]
        for (key, value) in properties.sorted(by: { $0.key < $1.key }) where body[key] == nil { body[key] = .string(value) }
        do {
            _ = try await ImageService(context: context).create(body, by: caller)
        } catch let error as CloudError where error.kind == .conflict {
            return
        }
    }

    /// Stores the data of a reserved image. An image that has data already keeps it.
    package func fill<Chunks: AsyncSequence & Sendable>(
        _ id: String, with chunks: Chunks, size: Int64?, by caller: Principal
    ) async throws where Chunks.Element == ByteBuffer {
        if try await summary(of: id, by: caller).isActive { return }
        try await ImageDataService(context: context).upload(ID(id), chunks, size: size, store: nil, by: caller)
    }

    /// Returns the ids of all images that the caller sees and that have these properties.
    package func list(_ properties: [String: String], newestFirst: Bool, by caller: Principal) async throws -> [String] {
        var text = properties.sorted { $0.key < $1.key }.map { "\(Percent.encode($0.key))=\(Percent.encode($0.value))" }
        text.append("sort=created_at:\(newestFirst ? "desc" : "asc")")
        let found = try await ImageService(context: context).list(try ImageList(try Query(text.joined(separator: "&"))), by: caller)
        return found.images.map(\.id.text)
    }

    /// Deletes an image. It does nothing if the image does not exist.
    package func remove(_ id: String, by caller: Principal) async throws {
        do {
            try await ImageService(context: context).delete(ID(id), by: caller)
        } catch let error as CloudError where error.kind == .notFound {
            return
        }
    }
}
