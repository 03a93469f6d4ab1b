import Access
import CloudCore
import Durable
import HTTPKit
import SQL

/// The service of images: create, find, change and delete. `ImageDataService` handles their data.
struct ImageService: Sendable {
    let context: ImagesContext

    // MARK: Making

    func create(_ body: JSONObject, by caller: Principal) async throws -> Image {
        try await create(body, by: caller) { image, _ in image }
    }

    /// Creates an image.
    ///
    /// - Parameter then: further work in the same transaction.
    func create<Value: Sendable>(
        _ body: JSONObject, by caller: Principal, then: @escaping @Sendable (Image, Transaction) throws -> Value
    ) async throws -> Value {
        let made = try Self.new(from: body, by: caller, id: context.world.random.uuid(), at: context.world.now)
        // The policy has another word than the image for a body that does not say who may see it.
        let visibility = body["visibility"]?.string ?? Image.Visibility.private.rawValue
        return try await create(made, visibility, by: caller, then: then)
    }

    /// Makes an image.
    ///
    /// - Parameters:
    ///   - visibility: the visibility that the policy is asked about; nil for the image's own.
    ///   - then: what belongs to it, in the same transaction.
    @discardableResult
    func create<Value: Sendable>(
        _ made: Image, _ visibility: String? = nil, by caller: Principal, then: @escaping @Sendable (Image, Transaction) throws -> Value
    ) async throws -> Value {
        do {
            return try await context.write { tx in
                try authoriseCreation(made, visibility ?? made.visibility.rawValue, caller)
                try context.quota.require(.countTotal, 1, of: made.owner, at: made.createdAt, in: tx)
                try context.images.insert(made, in: tx)
                return try then(made, tx)
            }
        } catch SQLError.uniqueViolation {
            throw CloudError.conflict("Image ID \(made.id) already exists!")
        }
    }

    private func authoriseCreation(_ image: Image, _ visibility: String, _ caller: Principal) throws {
        var target: PolicyTarget = ["visibility": visibility]
        if let owner = image.owner {
            target.set("project_id", to: owner)
            target.set("owner", to: owner)
        }
        guard context.policy.allows(.addImage, caller, target) || image.owner == caller.projectID?.text else {
            throw CloudError.forbidden("You are not permitted to create images owned by '\(image.owner ?? "")'.")
        }
        try context.policy.require(.addImage, caller, target)
        try context.access.requireVisibility(image.visibility, caller, target)
    }

    /// Returns a new image from a body.
    private static func new(
        from body: JSONObject, by caller: Principal, id: String, at now: Timestamp
    ) throws -> Image {
        var image = Image(id: ID(body["id"]?.string ?? id), createdAt: now)
        image.owner = caller.projectID?.text
        try image.take(body)
        return image
    }

    static func readOnly(_ name: String) -> CloudError { .forbidden("Attribute '\(name)' is read-only.") }
    static func reserved(_ name: String) -> CloudError { .forbidden("Attribute '\(name)' is reserved.") }

    // MARK: Finding

    func get(_ id: ID<Kind.Image>, by caller: Principal) async throws -> Image {
        try await context.read { tx in try context.authorised(.getImage, id, by: caller, in: tx) }
    }

    /// A page of images, and whether there may be more behind it.
    typealias Page = (images: [Image], hasMore: Bool)

    func list(_ list: ImageList, by caller: Principal) async throws -> Page {
        try await self.list(list, by: caller) { $0 }
    }

    /// Returns a page of images as an answer.
    ///
    /// - Parameter answer: writes the page. For a heavy page it runs on a thread for long reads, so that it holds up
    /// no other connection.
    func list<Value: Sendable>(
        _ list: ImageList, by caller: Principal, answer: @escaping @Sendable (Page) -> Value
    ) async throws -> Value {
        try context.policy.require(.getImages, caller, caller.projectID.map { ["project_id": $0.text] } ?? [:])
        @Sendable func read(_ most: Int, _ tx: Transaction) throws -> Value? {
            let (onlooker, isAdmin) = (context.onlooker(caller), context.access.isAdmin(caller))
            let page = try list.page(of: context.images, most: most, for: onlooker, isAdmin: isAdmin, in: tx)
            return page.map { answer(($0.images.filter { context.access.canSee($0, caller) }, $0.hasMore)) }
        }
        if let light = try await context.read({ tx in try read(ImageBounds.heavyPage, tx) }) { return light }
        let heavy = try await context.readLong { tx in try read(.max, tx) }
        guard let heavy else { throw CloudError.internalError("a page of images is heavier than any") }
        return heavy
    }

    // MARK: Deleting

    /// Deletes the rows of an image now; its bytes are removed soon after.
    func delete(_ id: ID<Kind.Image>, by caller: Principal) async throws {
        try await context.write { tx in
            let image = try context.authorised(.deleteImage, id, by: caller, in: tx)
            guard !image.isProtected else {
                throw CloudError.forbidden("Image \(id) is protected and cannot be deleted.")
            }
            // An import would notice that its image is gone; the cancel ends it earlier.
            if let work = try context.workflows.activity(on: .image(id), in: tx) { try context.workflows.requestCancel(work.workflowID, in: tx) }
            _ = try context.images.delete(id, in: tx)
            tx.afterCommit(context.collectGarbage)
        }
    }

    // MARK: Stopping downloads

    func deactivate(_ id: ID<Kind.Image>, by caller: Principal) async throws {
        try await move(id, .deactivateImage, "deactivate", from: .active, to: .deactivated, by: caller)
    }

    func reactivate(_ id: ID<Kind.Image>, by caller: Principal) async throws {
        try await move(id, .reactivateImage, "reactivate", from: .deactivated, to: .active, by: caller)
    }

    private func move(
        _ id: ID<Kind.Image>, _ action: Action, _ verb: String, from old: Image.Status, to new: Image.Status, by caller: Principal
    ) async throws {
        try await context.change(id, action, by: caller) { image, _ in
            guard image.status == old || image.status == new else {
                throw CloudError.forbidden("Not allowed to \(verb) image in status '\(image.status.rawValue)'")
            }
            image.status = new
        }
    }

    // MARK: Tags

    func addTag(_ tag: String, to id: ID<Kind.Image>, by caller: Principal) async throws {
        try ImageFields.check(["tags": [.string(tag)]])
        try await context.change(id, .modifyImage, by: caller) { image, _ in
            if !image.tags.contains(tag) { image.tags.append(tag) }
            try ImageFields.check(["tags": .array(image.tags.map(JSON.string))])
        }
    }

    func removeTag(_ tag: String, from id: ID<Kind.Image>, by caller: Principal) async throws {
        try await context.change(id, .modifyImage, by: caller) { image, _ in
            guard image.tags.contains(tag) else { throw CloudError.notFound("The image has no tag '\(tag.prefix(255))'.") }
            image.tags.removeAll { $0 == tag }
        }
    }
}

extension Image {
    /// Takes over what a new image's maker says of it.
    ///
    /// - Throws: `badRequest` for a wrong member, `forbidden` for one that only the service sets.
    mutating func take(_ members: JSONObject) throws {
        for name in ["direct_url", "self", "file", "schema", "stores"] where members[name] != nil {
            throw ImageService.readOnly(name)
        }
        try ImageFields.check(members)
        for (name, value) in members.members where name != "id" {
            if ImageFields.readOnly.contains(name) { throw ImageService.readOnly(name) }
            if ImageFields.isReserved(name) || name == "locations" { throw ImageService.reserved(name) }
            set(name, value)
        }
        try requireBoundedProperties(before: nil)
    }

    /// Sets a member that was checked. Names that are no member's are properties.
    mutating func set(_ name: String, _ value: JSON) {
        switch name {
        case "name": self.name = value.string
        case "owner": owner = value.string
        case "visibility": visibility = value.string.flatMap(Visibility.init) ?? visibility
        case "protected": isProtected = value.bool ?? isProtected
        case "os_hidden": isHidden = value.bool ?? isHidden
        case "disk_format": diskFormat = value.string
        case "container_format": containerFormat = value.string
        case "min_ram": minRAM = value.integer ?? minRAM
        case "min_disk": minDisk = value.integer ?? minDisk
        case "tags": tags = Set((value.array ?? []).compactMap(\.string)).sorted()
        default: properties[name] = value
        }
    }
}
