import Access

extension Action {
    static let addImage: Action = "add_image"
    static let deleteImage: Action = "delete_image"
    static let getImage: Action = "get_image"
    static let getImages: Action = "get_images"
    static let modifyImage: Action = "modify_image"
    static let publicizeImage: Action = "publicize_image"
    static let communitizeImage: Action = "communitize_image"
    static let downloadImage: Action = "download_image"
    static let downloadFromStore: Action = "download_from_store"
    static let uploadImage: Action = "upload_image"
    static let deleteImageLocation: Action = "delete_image_location"
    static let getImageLocation: Action = "get_image_location"
    static let setImageLocation: Action = "set_image_location"
    static let addImageLocation: Action = "add_image_location"
    static let fetchImageLocation: Action = "fetch_image_location"
    static let addMember: Action = "add_member"
    static let deleteMember: Action = "delete_member"
    static let getMember: Action = "get_member"
    static let getMembers: Action = "get_members"
    static let modifyMember: Action = "modify_member"
    static let deactivateImage: Action = "deactivate"
    static let reactivateImage: Action = "reactivate"
    static let copyImage: Action = "copy_image"
    static let tasksAPIAccess: Action = "tasks_api_access"
    static let cacheImage: Action = "cache_image"
    static let cacheList: Action = "cache_list"
    static let cacheDelete: Action = "cache_delete"
    static let storesInfoDetail: Action = "stores_info_detail"

    /// The name of a rule and not of an action: callers for whom it holds are above the rules of ownership.
    static let contextIsAdmin: Action = "context_is_admin"
}

/// Images' policy defaults. The target has `project_id` and `owner` (the owner of the image), `visibility`, and
/// `member_id`, which is the caller's project if the image is shared with it.
enum ImagesPolicy {
    static let admin = "rule:context_is_admin"
    static let member = "(role:member and project_id:%(project_id)s)"
    static let reader = "(role:reader and project_id:%(project_id)s)"
    private static let creator = "(role:member and project_id:%(project_id)s and project_id:%(owner)s)"
    private static let sharedMember = "(role:member and project_id:%(member_id)s)"
    private static let sharedReader = "role:reader and (project_id:%(project_id)s or project_id:%(member_id)s)"
    private static let seen = """
        (project_id:%(project_id)s or project_id:%(member_id)s or 'community':%(visibility)s or 'public':%(visibility)s \
        or 'shared':%(visibility)s)
        """

    static let defaults: [PolicyDefault] = ofImages + MetadefPolicy.defaults

    private static let ofImages: [PolicyDefault] = [
        PolicyDefault(.contextIsAdmin, "role:admin", "Who is above the rules of ownership."),
        PolicyDefault("default", "", "The rule of what has none."),
        PolicyDefault("service_api", "role:service or role:admin", "Another service of the cloud."),

        PolicyDefault(.addImage, "\(admin) or \(creator)", "Make an image.", scopes: [.project]),
        PolicyDefault(.deleteImage, "\(admin) or \(member)", "Delete an image.", scopes: [.project]),
        PolicyDefault(.getImage, "\(admin) or (role:reader and \(seen))", "See an image.", scopes: [.project]),
        PolicyDefault(.getImages, "\(admin) or \(reader)", "List images.", scopes: [.project]),
        PolicyDefault(.modifyImage, "\(admin) or \(member)", "Change an image.", scopes: [.project]),
        PolicyDefault(.publicizeImage, admin, "Show an image to everybody.", scopes: [.project]),
        PolicyDefault(.communitizeImage, "\(admin) or \(member)", "Show an image to those who know it.", scopes: [.project]),
        PolicyDefault(.downloadImage, "\(admin) or (role:member and \(seen))", "Read an image's data.", scopes: [.project]),
        PolicyDefault(.downloadFromStore, "\(admin) or (role:member and \(seen))", "Say which store to read from.", scopes: [.project]),
        PolicyDefault(.uploadImage, "\(admin) or \(member)", "Fill an image.", scopes: [.project]),
        PolicyDefault(.deactivateImage, "\(admin) or \(member)", "Stop downloads.", scopes: [.project]),
        PolicyDefault(.reactivateImage, "\(admin) or \(member)", "Let downloads go on.", scopes: [.project]),
        PolicyDefault(.copyImage, admin, "Copy the data into other stores.", scopes: [.project]),

        PolicyDefault(.deleteImageLocation, admin, "Remove one of the places of the data.", scopes: [.project]),
        PolicyDefault(.getImageLocation, "\(admin) or \(reader)", "See the places of the data.", scopes: [.project]),
        PolicyDefault(.setImageLocation, "\(admin) or \(member)", "Say where the data is.", scopes: [.project]),
        PolicyDefault(.addImageLocation, "rule:service_api or \(creator)", "Say where the data is.", scopes: [.project]),
        PolicyDefault(.fetchImageLocation, "rule:service_api", "See the places of the data, for services.", scopes: [.project]),

        PolicyDefault(.addMember, "\(admin) or \(member)", "Share an image with a project.", scopes: [.project]),
        PolicyDefault(.deleteMember, "\(admin) or \(member)", "Share it no longer.", scopes: [.project]),
        PolicyDefault(.getMember, "\(admin) or \(sharedReader)", "See one whom an image is shared with.", scopes: [.project]),
        PolicyDefault(.getMembers, "\(admin) or \(sharedReader)", "See whom an image is shared with.", scopes: [.project]),
        PolicyDefault(.modifyMember, "\(admin) or \(sharedMember)", "Accept or reject what is shared.", scopes: [.project]),

        PolicyDefault(.tasksAPIAccess, admin, "Use the tasks API.", scopes: [.project]),
        PolicyDefault(.cacheImage, admin, "Want an image in the cache.", scopes: [.project]),
        PolicyDefault(.cacheList, admin, "See what is in the cache.", scopes: [.project]),
        PolicyDefault(.cacheDelete, admin, "Take images out of the cache.", scopes: [.project]),
        PolicyDefault(.storesInfoDetail, admin, "See how stores are made.", scopes: [.project]),
    ]
}
