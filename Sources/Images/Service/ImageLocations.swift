import Access
import Blobs
import CloudCore
import HTTPKit
import SQL

/// The service of the places of images' data, for administrators and other services of the cloud.
///
/// A place is a blob of a store (`blob://file/<sha-512>`). A caller that knows the name may get the bytes, so no other
/// caller may set a place.
struct ImageLocations: Sendable {
    let context: ImagesContext

    /// The sizes in bytes of the blobs that locations name.
    typealias Known = [Place: Int64]

    struct Place: Hashable, Sendable {
        let store: String
        let blob: ContentID

        init?(_ url: String) {
            let parts = url.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0] == "blob:", parts[1].isEmpty, let blob = ContentID(String(parts[3])) else {
                return nil
            }
            store = String(parts[2])
            self.blob = blob
        }
    }

    // MARK: Services

    /// Makes a queued image active with data that is already in a store.
    func add(_ body: JSONObject, to id: ID<Kind.Image>, by caller: Principal) async throws {
        try Self.check(body)
        let url = body["url"]?.string ?? ""
        let place = Place(url)
        var size: Int64?
        if let place { size = try await self.size(place) }
        let known = size
        try await context.write { tx in
            let image = try context.authorised(.addImageLocation, id, by: caller, in: tx)
            guard image.status == .queued else {
                throw CloudError.conflict("It's not allowed to add locations if image status is \(image.status.rawValue).")
            }
            guard caller.hasRole("service") else {
                throw CloudError.forbidden("http store must be enabled to use location API by normal user.")
            }
            guard let place, let size = known else { throw CloudError.badRequest("There is no data at the location \(url.prefix(255)).") }
            if let wanted = body["validation_data"]?["os_hash_value"]?.string, body["validation_data"]?["os_hash_algo"] == "sha512",
                wanted.lowercased() != place.blob.text
            {
                throw CloudError.badRequest("The data at the location does not have that os_hash_value.")
            }
            try ImageIntake.requireFormats(image)
            try context.quota.require(.sizeTotal, size, of: image.owner, at: context.world.now, in: tx)
            var changed = image
            try fill(&changed, [location(place, metadata: [:])], size, in: tx)
            changed.updatedAt = context.world.now
            try context.images.update(changed, from: image, in: tx)
        }
    }

    func list(_ id: ID<Kind.Image>, by caller: Principal) async throws -> [Image.Location] {
        try await context.read { tx in try context.authorised(.fetchImageLocation, id, by: caller, in: tx) }.locations
    }

    private static let digestLengths = ["md5": 32, "sha1": 40, "sha256": 64, "sha512": 128]
    private static let body = Shape.object(
        [
            .init("url", .text, required: true),
            .init("validation_data", .object([.init("os_hash_algo", .oneOf(digestLengths.keys.sorted())), .init("os_hash_value", .string(0...128))])),
        ], open: true)

    private static func check(_ given: JSONObject) throws {
        try body.check(.object(given), at: "location")
        guard let data = given["validation_data"]?.object else { return }
        guard (data["os_hash_algo"] == nil) == (data["os_hash_value"] == nil) else {
            throw CloudError.badRequest("os_hash_algo and os_hash_value must be given together.")
        }
        guard let value = data["os_hash_value"]?.string, let algorithm = data["os_hash_algo"]?.string else { return }
        guard Hex.bytes(value) != nil, value.utf8.count == digestLengths[algorithm] else {
            throw CloudError.badRequest("os_hash_value: (\(value)) is not a digest that \(algorithm) makes.")
        }
    }

    // MARK: One store less

    /// Removes the data from one store. The last place cannot be removed.
    func remove(from store: String, _ id: ID<Kind.Image>, by caller: Principal) async throws {
        guard context.stores[store] != nil else {
            throw CloudError.conflict("The selected store \(store.prefix(255)) is not available on this node.")
        }
        try await context.change(id, .getImageLocation, by: caller) { image, tx in
            try context.access.require(.deleteImageLocation, image, caller)
            guard image.status == .active else {
                throw CloudError.conflict("It's not allowed to remove image data from store if image status is not 'active'")
            }
            guard image.locations.count > 1 else {
                throw CloudError.forbidden(
                    "Cannot delete image data from the only store containing it. Consider deleting the image instead.")
            }
            guard image.locations.contains(where: { $0.store == store }) else {
                throw CloudError.notFound("Image \(id) is not stored in store \(store).")
            }
            image.locations.removeAll { $0.store == store }
            tx.afterCommit(context.collectGarbage)
        }
    }

    // MARK: Administrators

    /// Returns the sizes of the blobs that the patch names, which only the stores know. It runs before the transaction,
    /// because a transaction must not wait for a store.
    func sizes(namedBy patch: ImagePatch) async throws -> Known {
        var known: Known = [:]
        for change in patch.changes where change.name == "locations" {
            for location in change.place == nil ? change.value.array ?? [] : [change.value] {
                guard let place = location["url"]?.string.flatMap({ Place($0) }) else { continue }
                known[place] = try await size(place)
            }
        }
        return known
    }

    private func size(_ place: Place) async throws -> Int64? {
        guard let store = context.stores[place.store] else { return nil }
        do {
            return try await store.size(place.blob)
        } catch let error as CloudError where error.kind == .notFound {
            return nil
        }
    }

    func apply(_ change: ImagePatch.Change, to image: inout Image, _ known: Known, by caller: Principal, in tx: Transaction) throws {
        try context.access.require(change.operation == .remove ? .deleteImageLocation : .setImageLocation, image, caller)
        guard context.access.isAdmin(caller) else {
            throw CloudError.forbidden("It's not allowed to \(change.operation.rawValue) locations if locations are invisible.")
        }
        guard image.status == .active || (image.status == .queued && change.operation != .remove) else {
            throw CloudError.conflict("It's not allowed to \(change.operation.rawValue) locations if image status is \(image.status.rawValue).")
        }
        var locations = image.locations
        switch change.operation {
        case .remove:
            guard locations.count > 1 else { throw CloudError.forbidden("Cannot remove last location in the image.") }
            guard let at = Self.position(change.place, locations.count, isNew: false) else {
                throw CloudError.badRequest("Invalid position for removing a location.")
            }
            locations.remove(at: at)
            tx.afterCommit(context.collectGarbage)
        case .add:
            guard let at = Self.position(change.place, locations.count, isNew: true) else {
                throw CloudError.badRequest("Invalid position for adding a location.")
            }
            locations.insert(try location(change.value, known), at: at)
        case .replace:
            guard let wanted = change.value.array, !wanted.isEmpty else { throw CloudError.forbidden("Cannot set locations to empty list.") }
            locations = try wanted.map { try location($0, known) }
            guard image.locations.isEmpty || Set(locations.map(\.url)) == Set(image.locations.map(\.url)) else {
                throw CloudError.badRequest("Original locations is not empty: its URLs cannot be replaced by others.")
            }
        }
        guard Set(locations.map(\.store)).count == locations.count else {
            throw CloudError.badRequest("The image has a location in that store already.")
        }
        guard locations.allSatisfy({ $0.blob == locations[0].blob }) else {
            throw CloudError.badRequest("All locations of an image must have the same data.")
        }
        if let first = locations.first, image.status == .queued {
            try ImageIntake.requireFormats(image)
            try fill(&image, locations, Place(first.url).flatMap { known[$0] } ?? 0, in: tx)
        } else {
            image.locations = locations
        }
    }

    private static func position(_ text: String?, _ count: Int, isNew: Bool) -> Int? {
        let last = isNew ? count : count - 1
        if text == "-" { return last }
        guard let text, let at = Int(text), at >= 0 else { return nil }
        return isNew ? min(at, count) : (at < count ? at : nil)
    }

    private func location(_ value: JSON, _ known: Known) throws -> Image.Location {
        let url = value["url"]?.string ?? ""
        guard let place = Place(url), known[place] != nil else { throw CloudError.badRequest("There is no data at the location \(url.prefix(255)).") }
        if let wanted = value["validation_data"]?["os_hash_value"]?.string, wanted.lowercased() != place.blob.text {
            throw CloudError.conflict("The data at the location does not have that os_hash_value.")
        }
        return location(place, metadata: value["metadata"]?.object ?? [:])
    }

    private func location(_ place: Place, metadata: JSONObject) -> Image.Location {
        var metadata = metadata
        metadata["store"] = nil
        return Image.Location(id: context.world.random.uuid(), store: place.store, blob: place.blob, metadata: metadata)
    }

    /// Makes an image active with data that was not inspected here. Facts that are not known of it stay unset.
    private func fill(_ image: inout Image, _ locations: [Image.Location], _ size: Int64, in tx: Transaction) throws {
        image.locations = locations
        image.status = .active
        image.size = size
        (image.hashAlgorithm, image.hashValue) = (ImageData.hashAlgorithm, locations.first?.blob.text)
        image.checksum = try ImageStore.checksum(ofHash: image.hashValue, in: tx)
    }
}
