import Access

extension Action {
    static let listProviders: Action = "placement:resource_providers:list"
    static let createProvider: Action = "placement:resource_providers:create"
    static let showProvider: Action = "placement:resource_providers:show"
    static let updateProvider: Action = "placement:resource_providers:update"
    static let deleteProvider: Action = "placement:resource_providers:delete"

    static let listResourceClasses: Action = "placement:resource_classes:list"
    static let createResourceClass: Action = "placement:resource_classes:create"
    static let showResourceClass: Action = "placement:resource_classes:show"
    static let updateResourceClass: Action = "placement:resource_classes:update"
    static let deleteResourceClass: Action = "placement:resource_classes:delete"

    static let listInventories: Action = "placement:resource_providers:inventories:list"
    static let createInventory: Action = "placement:resource_providers:inventories:create"
    static let showInventory: Action = "placement:resource_providers:inventories:show"
    static let updateInventory: Action = "placement:resource_providers:inventories:update"
    static let deleteInventory: Action = "placement:resource_providers:inventories:delete"

    static let listAggregates: Action = "placement:resource_providers:aggregates:list"
    static let updateAggregates: Action = "placement:resource_providers:aggregates:update"

    static let listTraits: Action = "placement:traits:list"
    static let showTrait: Action = "placement:traits:show"
    static let updateTrait: Action = "placement:traits:update"
    static let deleteTrait: Action = "placement:traits:delete"
    static let listProviderTraits: Action = "placement:resource_providers:traits:list"
    static let updateProviderTraits: Action = "placement:resource_providers:traits:update"
    static let deleteProviderTraits: Action = "placement:resource_providers:traits:delete"

    static let listProviderAllocations: Action = "placement:resource_providers:allocations:list"
    static let listAllocations: Action = "placement:allocations:list"
    static let manageAllocations: Action = "placement:allocations:manage"
    static let updateAllocations: Action = "placement:allocations:update"
    static let deleteAllocations: Action = "placement:allocations:delete"

    static let showProviderUsages: Action = "placement:resource_providers:usages"
    static let showUsages: Action = "placement:usages"
    static let listCandidates: Action = "placement:allocation_candidates:list"
    static let reshape: Action = "placement:reshaper:reshape"
}

/// Placement's policy defaults. The API is for operators and services; readers of a project may see its usages.
enum PlacementPolicy {
    static let defaults: [PolicyDefault] =
        [
            PolicyDefault("admin_api", "role:admin", "An administrator.", scopes: [.project]),
            PolicyDefault("service_api", "role:service", "Another service of the cloud.", scopes: [.project]),
            PolicyDefault("admin_or_service_api", "role:admin or role:service", "An administrator or a service.", scopes: [.project]),
            PolicyDefault("project_reader_api", "role:reader and project_id:%(project_id)s", "A reader of the project that is asked about."),
            PolicyDefault(
                "admin_or_project_reader_or_service_api", "role:admin or rule:project_reader_api or role:service",
                "An administrator, a service, or a reader of the project that is asked about.", scopes: [.project]),
            PolicyDefault(
                .showUsages, "rule:admin_or_project_reader_or_service_api", "See what a project uses.", scopes: [.project]),
            PolicyDefault(.reshape, "rule:service_api", "Move inventories and allocations between providers.", scopes: [.project]),
        ]
        + forOperators.map { PolicyDefault($0, "rule:admin_or_service_api", scopes: [.project]) }

    private static let forOperators: [Action] = [
        .listProviders, .createProvider, .showProvider, .updateProvider, .deleteProvider,
        .listResourceClasses, .createResourceClass, .showResourceClass, .updateResourceClass, .deleteResourceClass,
        .listInventories, .createInventory, .showInventory, .updateInventory, .deleteInventory,
        .listAggregates, .updateAggregates,
        .listTraits, .showTrait, .updateTrait, .deleteTrait,
        .listProviderTraits, .updateProviderTraits, .deleteProviderTraits,
        .listProviderAllocations, .listAllocations, .manageAllocations, .updateAllocations, .deleteAllocations,
        .showProviderUsages, .listCandidates,
    ]
}
