import Access
import CloudCore

/// What a caller may do to an image. Who may not see it is told that it is not there, whatever they wanted of it.
struct ImageAccess: Sendable {
    let policy: Policy

    func isAdmin(_ caller: Principal) -> Bool { policy.allows(.contextIsAdmin, caller) }

    /// Whether the image is there for the caller at all.
    func canSee(_ image: Image, _ caller: Principal) -> Bool {
        // Shared with others is not shared with the caller: the rule alone would let everybody see it.
        let isReachable =
            image.owner == nil || image.visibility == .public || image.visibility == .community || image.owner == caller.projectID?.text
            || image.isSharedWithCaller || isAdmin(caller)
        return isReachable && policy.allows(.getImage, caller, target(image, caller))
    }

    /// - Throws: `notFound` to who may not see it, `forbidden` to who may see it and not do this.
    func require(_ action: Action, _ image: Image, _ caller: Principal) throws {
        guard canSee(image, caller) else { throw Self.missing(image.id) }
        try policy.require(action, caller, target(image, caller))
    }

    func requireVisibility(_ visibility: Image.Visibility, _ caller: Principal, _ target: PolicyTarget) throws {
        switch visibility {
        case .public: try policy.require(.publicizeImage, caller, target)
        case .community: try policy.require(.communitizeImage, caller, target)
        case .private, .shared: break
        }
    }

    func target(_ image: Image, _ caller: Principal) -> PolicyTarget {
        var target: PolicyTarget = ["visibility": image.visibility.rawValue]
        // An image of nobody's must not be taken for that of a caller without a project.
        if let owner = image.owner {
            target.set("project_id", to: owner)
            target.set("owner", to: owner)
        }
        if image.isSharedWithCaller, let project = caller.projectID?.text { target.set("member_id", to: project) }
        return target
    }

    static func missing(_ id: ID<Kind.Image>) -> CloudError {
        .notFound("No image found with ID \(id.text.prefix(64)).")
    }
}
