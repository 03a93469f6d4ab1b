import Access
import CloudCore

/// The rules of what a caller may do to an image. To a caller that may not see it, the image does not exist, whatever
/// the request.
struct ImageAccess: Sendable {
    let policy: Policy

    func isAdmin(_ caller: Principal) -> Bool { policy.allows(.contextIsAdmin, caller) }

    /// Returns whether the caller can see the image.
    func canSee(_ image: Image, _ caller: Principal) -> Bool {
        // The policy rule alone would let everybody see each shared image, so ownership and membership are checked
        // here.
        let isReachable =
            image.owner == nil || image.visibility == .public || image.visibility == .community || image.owner == caller.projectID?.text
            || image.isSharedWithCaller || isAdmin(caller)
        return isReachable && policy.allows(.getImage, caller, target(image, caller))
    }

    /// Checks that the caller may do an action on an image.
    ///
    /// - Throws: `notFound` if the caller cannot see the image; `forbidden` if it can see it but may not do the action.
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
        // An image without an owner must not match a caller without a project.
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
