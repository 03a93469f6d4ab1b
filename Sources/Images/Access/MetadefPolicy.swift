import Access

extension Action {
    static let listMetadefNamespaces: Action = "get_metadef_namespaces"
    static let getMetadefNamespace: Action = "get_metadef_namespace"
    static let addMetadefNamespace: Action = "add_metadef_namespace"
    static let modifyMetadefNamespace: Action = "modify_metadef_namespace"
    static let deleteMetadefNamespace: Action = "delete_metadef_namespace"

    static let listMetadefObjects: Action = "get_metadef_objects"
    static let getMetadefObject: Action = "get_metadef_object"
    static let addMetadefObject: Action = "add_metadef_object"
    static let modifyMetadefObject: Action = "modify_metadef_object"
    static let deleteMetadefObject: Action = "delete_metadef_object"

    static let listMetadefProperties: Action = "get_metadef_properties"
    static let getMetadefProperty: Action = "get_metadef_property"
    static let addMetadefProperty: Action = "add_metadef_property"
    static let modifyMetadefProperty: Action = "modify_metadef_property"
    static let removeMetadefProperty: Action = "remove_metadef_property"

    static let listMetadefTags: Action = "get_metadef_tags"
    static let getMetadefTag: Action = "get_metadef_tag"
    static let addMetadefTag: Action = "add_metadef_tag"
    static let addMetadefTags: Action = "add_metadef_tags"
    static let modifyMetadefTag: Action = "modify_metadef_tag"
    static let deleteMetadefTag: Action = "delete_metadef_tag"
    static let deleteMetadefTags: Action = "delete_metadef_tags"

    static let listMetadefResourceTypes: Action = "list_metadef_resource_types"
    static let getMetadefResourceType: Action = "get_metadef_resource_type"
    static let addMetadefAssociation: Action = "add_metadef_resource_type_association"
    static let removeMetadefAssociation: Action = "remove_metadef_resource_type_association"
}

/// The policy defaults of metadata definitions, as in Glance 33: readers of a project see public definitions and those
/// of their project; administrators see and change everything.
enum MetadefPolicy {
    static let defaults: [PolicyDefault] =
        [
            PolicyDefault("metadef_default", "", "Anybody. No rule refers to it unless a policy file does."),
            PolicyDefault("metadef_admin", "rule:context_is_admin", "Who may change metadata definitions."),
            PolicyDefault(.listMetadefNamespaces, "rule:context_is_admin or (\(reader))", "List namespaces.", scopes: [.project]),
        ]
        + seen.map { action, summary in
            PolicyDefault(
                action, "rule:context_is_admin or (role:reader and (\(ofProject) or \(isPublic)))", summary, scopes: [.project])
        }
        + changed.map { action, summary in PolicyDefault(action, "rule:metadef_admin", summary, scopes: [.project]) }

    private static let ofProject = "project_id:%(project_id)s"
    private static let isPublic = "'public':%(visibility)s"
    private static let reader = "role:reader and \(ofProject)"

    private static let seen: [(Action, String)] = [
        (.getMetadefNamespace, "See a namespace."),
        (.listMetadefObjects, "List a namespace's objects."), (.getMetadefObject, "See an object."),
        (.listMetadefProperties, "List a namespace's properties."), (.getMetadefProperty, "See a property."),
        (.listMetadefTags, "List a namespace's tags."), (.getMetadefTag, "See a tag."),
        (.listMetadefResourceTypes, "List resource types, and those of a namespace."),
        (.getMetadefResourceType, "See what a namespace is associated with."),
    ]

    private static let changed: [(Action, String)] = [
        (.addMetadefNamespace, "Make a namespace."), (.modifyMetadefNamespace, "Change a namespace."),
        (.deleteMetadefNamespace, "Delete a namespace, or all its objects, properties or tags."),
        (.addMetadefObject, "Make an object."), (.modifyMetadefObject, "Change an object."),
        (.deleteMetadefObject, "Delete an object."),
        (.addMetadefProperty, "Make a property."), (.modifyMetadefProperty, "Change a property."),
        (.removeMetadefProperty, "Delete a property."),
        (.addMetadefTag, "Make a tag."), (.addMetadefTags, "Make tags, or replace them."), (.modifyMetadefTag, "Rename a tag."),
        (.deleteMetadefTag, "Delete a tag."), (.deleteMetadefTags, "Delete all tags of a namespace."),
        (.addMetadefAssociation, "Associate a namespace with a resource type."),
        (.removeMetadefAssociation, "End such an association."),
    ]
}
