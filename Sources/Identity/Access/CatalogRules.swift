import Access

extension Action {
    static let getRegion: Action = "identity:get_region"
    static let listRegions: Action = "identity:list_regions"
    static let createRegion: Action = "identity:create_region"
    static let updateRegion: Action = "identity:update_region"
    static let deleteRegion: Action = "identity:delete_region"
    static let getService: Action = "identity:get_service"
    static let listServices: Action = "identity:list_services"
    static let createService: Action = "identity:create_service"
    static let updateService: Action = "identity:update_service"
    static let deleteService: Action = "identity:delete_service"
    static let getEndpoint: Action = "identity:get_endpoint"
    static let listEndpoints: Action = "identity:list_endpoints"
    static let createEndpoint: Action = "identity:create_endpoint"
    static let updateEndpoint: Action = "identity:update_endpoint"
    static let deleteEndpoint: Action = "identity:delete_endpoint"

    static let getEndpointGroup: Action = "identity:get_endpoint_group"
    static let listEndpointGroups: Action = "identity:list_endpoint_groups"
    static let createEndpointGroup: Action = "identity:create_endpoint_group"
    static let updateEndpointGroup: Action = "identity:update_endpoint_group"
    static let deleteEndpointGroup: Action = "identity:delete_endpoint_group"
    static let listProjectsAssociatedWithEndpointGroup: Action = "identity:list_projects_associated_with_endpoint_group"
    static let listEndpointsAssociatedWithEndpointGroup: Action = "identity:list_endpoints_associated_with_endpoint_group"
    static let getEndpointGroupInProject: Action = "identity:get_endpoint_group_in_project"
    static let listEndpointGroupsForProject: Action = "identity:list_endpoint_groups_for_project"
    static let addEndpointGroupToProject: Action = "identity:add_endpoint_group_to_project"
    static let removeEndpointGroupFromProject: Action = "identity:remove_endpoint_group_from_project"

    static let listProjectsForEndpoint: Action = "identity:list_projects_for_endpoint"
    static let addEndpointToProject: Action = "identity:add_endpoint_to_project"
    static let checkEndpointInProject: Action = "identity:check_endpoint_in_project"
    static let listEndpointsForProject: Action = "identity:list_endpoints_for_project"
    static let removeEndpointFromProject: Action = "identity:remove_endpoint_from_project"

    static let getPolicy: Action = "identity:get_policy"
    static let listPolicies: Action = "identity:list_policies"
    static let createPolicy: Action = "identity:create_policy"
    static let updatePolicy: Action = "identity:update_policy"
    static let deletePolicy: Action = "identity:delete_policy"
    static let createPolicyAssociationForEndpoint: Action = "identity:create_policy_association_for_endpoint"
    static let checkPolicyAssociationForEndpoint: Action = "identity:check_policy_association_for_endpoint"
    static let deletePolicyAssociationForEndpoint: Action = "identity:delete_policy_association_for_endpoint"
    static let createPolicyAssociationForService: Action = "identity:create_policy_association_for_service"
    static let checkPolicyAssociationForService: Action = "identity:check_policy_association_for_service"
    static let deletePolicyAssociationForService: Action = "identity:delete_policy_association_for_service"
    static let createPolicyAssociationForRegionAndService: Action = "identity:create_policy_association_for_region_and_service"
    static let checkPolicyAssociationForRegionAndService: Action = "identity:check_policy_association_for_region_and_service"
    static let deletePolicyAssociationForRegionAndService: Action = "identity:delete_policy_association_for_region_and_service"
    static let getPolicyForEndpoint: Action = "identity:get_policy_for_endpoint"
    static let listEndpointsForPolicy: Action = "identity:list_endpoints_for_policy"
}

extension IdentityPolicy {
    /// The rules for regions, services, endpoints, the endpoint filter and stored policies.
    static let catalogRules: [PolicyDefault] = [
        PolicyDefault(.getRegion, anyone, "Show a region", scopes: .any),
        PolicyDefault(.listRegions, anyone, "List regions", scopes: .any),
        PolicyDefault(.createRegion, admin, "Create a region", scopes: .systemOrProject),
        PolicyDefault(.updateRegion, admin, "Change a region", scopes: .systemOrProject),
        PolicyDefault(.deleteRegion, admin, "Delete a region", scopes: .systemOrProject),
        PolicyDefault(.getService, adminOrSystemReader, "Show a service", scopes: .systemOrProject),
        PolicyDefault(.listServices, adminOrSystemReader, "List services", scopes: .systemOrProject),
        PolicyDefault(.createService, admin, "Create a service", scopes: .systemOrProject),
        PolicyDefault(.updateService, admin, "Change a service", scopes: .systemOrProject),
        PolicyDefault(.deleteService, admin, "Delete a service", scopes: .systemOrProject),
        PolicyDefault(.getEndpoint, adminOrSystemReader, "Show an endpoint", scopes: .systemOrProject),
        PolicyDefault(.listEndpoints, adminOrSystemReader, "List endpoints", scopes: .systemOrProject),
        PolicyDefault(.createEndpoint, admin, "Create an endpoint", scopes: .systemOrProject),
        PolicyDefault(.updateEndpoint, admin, "Change an endpoint", scopes: .systemOrProject),
        PolicyDefault(.deleteEndpoint, admin, "Delete an endpoint", scopes: .systemOrProject),

        PolicyDefault(.getEndpointGroup, adminOrSystemReader, "Show a group of endpoints", scopes: .systemOrProject),
        PolicyDefault(.listEndpointGroups, adminOrSystemReader, "List groups of endpoints", scopes: .systemOrProject),
        PolicyDefault(.createEndpointGroup, admin, "Create a group of endpoints", scopes: .systemOrProject),
        PolicyDefault(.updateEndpointGroup, admin, "Change a group of endpoints", scopes: .systemOrProject),
        PolicyDefault(.deleteEndpointGroup, admin, "Delete a group of endpoints", scopes: .systemOrProject),
        PolicyDefault(
            .listProjectsAssociatedWithEndpointGroup,
            adminOrSystemReader,
            "List the projects that see a group of endpoints", scopes: .systemOrProject),
        PolicyDefault(
            .listEndpointsAssociatedWithEndpointGroup,
            adminOrSystemReader,
            "List the endpoints in a group", scopes: .systemOrProject),
        PolicyDefault(
            .getEndpointGroupInProject,
            adminOrSystemReader,
            "Tell whether a project sees a group of endpoints", scopes: .systemOrProject),
        PolicyDefault(
            .listEndpointGroupsForProject,
            adminOrSystemReader,
            "List the groups of endpoints that a project sees", scopes: .systemOrProject),
        PolicyDefault(.addEndpointGroupToProject, admin, "Let a project see a group of endpoints", scopes: .systemOrProject),
        PolicyDefault(
            .removeEndpointGroupFromProject,
            admin,
            "Hide a group of endpoints from a project", scopes: .systemOrProject),

        PolicyDefault(
            .listProjectsForEndpoint,
            adminOrSystemReader,
            "List the projects that see an endpoint", scopes: .systemOrProject),
        PolicyDefault(.addEndpointToProject, admin, "Let a project see an endpoint", scopes: .systemOrProject),
        PolicyDefault(
            .checkEndpointInProject,
            adminOrSystemReader,
            "Tell whether a project sees an endpoint", scopes: .systemOrProject),
        PolicyDefault(
            .listEndpointsForProject,
            adminOrSystemReader,
            "List the endpoints that a project sees", scopes: .systemOrProject),
        PolicyDefault(.removeEndpointFromProject, admin, "Hide an endpoint from a project", scopes: .systemOrProject),

        PolicyDefault(.getPolicy, adminOrSystemReader, "Show a stored policy", scopes: .systemOrProject),
        PolicyDefault(.listPolicies, adminOrSystemReader, "List stored policies", scopes: .systemOrProject),
        PolicyDefault(.createPolicy, admin, "Store a policy", scopes: .systemOrProject),
        PolicyDefault(.updatePolicy, admin, "Change a stored policy", scopes: .systemOrProject),
        PolicyDefault(.deletePolicy, admin, "Delete a stored policy", scopes: .systemOrProject),
        PolicyDefault(.createPolicyAssociationForEndpoint, admin, "Give an endpoint a stored policy", scopes: .systemOrProject),
        PolicyDefault(
            .checkPolicyAssociationForEndpoint,
            adminOrSystemReader,
            "Tell whether an endpoint has a policy", scopes: .systemOrProject),
        PolicyDefault(
            .deletePolicyAssociationForEndpoint,
            admin,
            "Take a stored policy from an endpoint", scopes: .systemOrProject),
        PolicyDefault(.createPolicyAssociationForService, admin, "Give a service a stored policy", scopes: .systemOrProject),
        PolicyDefault(
            .checkPolicyAssociationForService,
            adminOrSystemReader,
            "Tell whether a service has a policy", scopes: .systemOrProject),
        PolicyDefault(.deletePolicyAssociationForService, admin, "Take a stored policy from a service", scopes: .systemOrProject),
        PolicyDefault(
            .createPolicyAssociationForRegionAndService,
            admin,
            "Give a service in a region a stored policy", scopes: .systemOrProject),
        PolicyDefault(
            .checkPolicyAssociationForRegionAndService,
            adminOrSystemReader,
            "Tell whether a service in a region has a policy", scopes: .systemOrProject),
        PolicyDefault(
            .deletePolicyAssociationForRegionAndService,
            admin,
            "Take a stored policy from a service in a region", scopes: .systemOrProject),
        PolicyDefault(
            .getPolicyForEndpoint,
            adminOrSystemReader,
            "Show the stored policy that an endpoint has in the end", scopes: .systemOrProject),
        PolicyDefault(
            .listEndpointsForPolicy,
            adminOrSystemReader,
            "List the endpoints that have a stored policy", scopes: .systemOrProject),
    ]
}
