import Access
import CloudCore
import SQL

/// The service of the members of shared images: the projects, and their answers.
struct ImageMemberService: Sendable {
    let context: ImagesContext
    private let store = MemberStore()

    private static let mostMembers = Limits.thing.imageMembers.most

    func create(_ memberID: String, of id: ID<Kind.Image>, by caller: Principal) async throws -> ImageMember {
        guard !memberID.isEmpty, memberID.unicodeScalars.count <= 255 else { throw CloudError.badRequest("Member can't be empty") }
        let now = context.world.now
        let member = ImageMember(imageID: id, memberID: memberID, createdAt: now, updatedAt: now)
        return try await context.write { tx in
            _ = try shared(id, .addMember, by: caller, in: tx)
            guard try store.all(of: id, in: tx).count < Self.mostMembers else {
                throw CloudError(.tooLarge, "The image is shared with as many projects as are allowed: \(Self.mostMembers).")
            }
            guard try store.insert(member, in: tx) else {
                throw CloudError.conflict("Member \(memberID) is duplicated for image \(id)")
            }
            return member
        }
    }

    func list(of id: ID<Kind.Image>, by caller: Principal) async throws -> [ImageMember] {
        try await context.read { tx in
            let image = try shared(id, .getMembers, by: caller, in: tx)
            return try store.all(of: id, only: visible(image, caller), in: tx)
        }
    }

    /// Returns a member. A caller without the right gets `notFound`.
    func get(_ memberID: String, of id: ID<Kind.Image>, by caller: Principal) async throws -> ImageMember {
        try await context.read { tx in
            do {
                return try find(memberID, of: try shared(id, .getMember, by: caller, in: tx), by: caller, in: tx)
            } catch let error as CloudError where error.kind == .forbidden {
                throw CloudError.notFound(error.message)
            }
        }
    }

    func update(
        _ memberID: String, of id: ID<Kind.Image>, to word: String, by caller: Principal
    ) async throws -> ImageMember {
        let now = context.world.now
        return try await context.write { tx in
            let image = try shared(id, .getMember, by: caller, in: tx)
            var member = try find(memberID, of: image, by: caller, in: tx)
            try context.access.require(.modifyMember, image, caller)
            guard let status = ImageMember.Status(rawValue: word) else {
                throw CloudError.badRequest("Incorrect request: Status must be \"pending\", \"accepted\" or \"rejected\".")
            }
            member.status = status
            member.updatedAt = now
            try store.update(member, in: tx)
            return member
        }
    }

    func delete(_ memberID: String, of id: ID<Kind.Image>, by caller: Principal) async throws {
        try await context.write { tx in
            let image = try shared(id, .getMember, by: caller, in: tx)
            _ = try find(memberID, of: image, by: caller, in: tx)
            try context.access.require(.deleteMember, image, caller)
            try store.delete(memberID, of: id, in: tx)
        }
    }

    private func shared(_ id: ID<Kind.Image>, _ action: Action, by caller: Principal, in tx: Transaction) throws -> Image {
        let image = try context.authorised(.getImage, id, by: caller, in: tx)
        guard image.visibility == .shared else { throw CloudError.forbidden("Only shared images have members.") }
        try context.access.require(action, image, caller)
        return image
    }

    private func find(_ memberID: String, of image: Image, by caller: Principal, in tx: Transaction) throws -> ImageMember {
        let isHidden = visible(image, caller).map { $0 != memberID } ?? false
        guard !isHidden, let member = try store.all(of: image.id, only: memberID, in: tx).first else {
            throw CloudError.notFound("\(memberID.prefix(255)) not found in the member list of the image \(image.id).")
        }
        return member
    }

    /// Returns the only member that the caller sees; nil for all. A member sees itself alone; the owner and
    /// administrators see all.
    private func visible(_ image: Image, _ caller: Principal) -> String? {
        let project = caller.projectID?.text
        return context.access.isAdmin(caller) || (project != nil && image.owner == project) ? nil : project ?? ""
    }
}
