import Access
import Blobs
import CloudCore
import HTTPKit
import SQL

/// The changes of a `PATCH` of an image, in one transaction or not at all.
struct ImageUpdate: Sendable {
    let context: ImagesContext

    func apply(_ patch: ImagePatch, to id: ID<Kind.Image>, by caller: Principal) async throws -> Image {
        let locations = ImageLocations(context: context)
        let known = try await locations.sizes(namedBy: patch)
        if patch.changes.isEmpty {
            return try await context.read { tx in try context.authorised(.getImage, id, by: caller, in: tx) }
        }
        // Each change decides which rights the caller needs.
        return try await context.change(id, .getImage, by: caller) { image, tx in
            let old = image
            for change in patch.changes {
                if change.name == "locations" {
                    try locations.apply(change, to: &image, known, by: caller, in: tx)
                } else {
                    try apply(change, to: &image, was: old, by: caller)
                }
            }
            try image.requireBoundedProperties(before: old)
        }
    }

    private func apply(_ change: ImagePatch.Change, to image: inout Image, was old: Image, by caller: Principal) throws {
        let isBase = ImageFields.byName[change.name] != nil
        if change.name == "owner", change.operation != .remove, !context.access.isAdmin(caller) {
            throw CloudError.forbidden("Owner can't be updated by non admin.")
        }
        if change.name == "visibility", let wanted = change.value.string.flatMap(Image.Visibility.init) {
            try context.access.requireVisibility(wanted, caller, context.access.target(old, caller))
        }
        try context.access.require(.modifyImage, old, caller)
        switch change.operation {
        case .add where change.form == .v20 && (isBase || image.properties[change.name] != nil):
            throw CloudError.conflict("Property \(change.name) already present.")
        case .replace where !isBase && image.properties[change.name] == nil, .remove where !isBase && image.properties[change.name] == nil:
            throw CloudError.conflict("Property \(change.name) does not exist.")
        case .remove where isBase: throw CloudError.forbidden("Property \(change.name) may not be removed.")
        case .remove: image.properties[change.name] = nil
        case .add, .replace:
            if ["disk_format", "container_format"].contains(change.name), ![.queued, .importing].contains(image.status) {
                throw CloudError.forbidden("Attribute \(change.name) can be only replaced for a queued image.")
            }
            image.set(change.name, change.value)
        }
    }
}
