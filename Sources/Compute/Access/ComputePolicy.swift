import Access

/// The default policies of Compute, as in the reference. The policies of actions on servers are in the table of
/// actions. Every policy needs a token of a project. A check may name the target's attributes `project_id` and
/// `user_id`.
enum ComputePolicy {
    static let defaults: [PolicyDefault] =
        shared
        + Audience.allCases.flatMap { audience in (rules[audience] ?? []).map(audience.rule) }
        + ServerAction.policies

    /// The callers who may do an action, unless the operator sets another policy. The raw value is a check in the
    /// policy language.
    enum Audience: String, Sendable, CaseIterable {
        case administrators = "rule:context_is_admin"
        case members = "rule:project_member_or_admin"
        case managers = "rule:project_manager_or_admin"
        case readers = "rule:project_reader_or_admin"
        case owners = "(rule:context_is_admin) or user_id:%(user_id)s"
        case services = "rule:service_or_admin"
        case everybody = "@"

        func rule(_ action: Action) -> PolicyDefault { PolicyDefault(action, rawValue, scopes: [.project]) }
    }

    private static let shared = [
        PolicyDefault(.isAdministrator, "role:admin", "Who sees what is not of the own project."),
        PolicyDefault("project_manager_api", "role:manager and project_id:%(project_id)s", "A manager of the project."),
        PolicyDefault("project_member_api", "role:member and project_id:%(project_id)s", "A member of the project."),
        PolicyDefault("project_reader_api", "role:reader and project_id:%(project_id)s", "A reader of the project."),
        PolicyDefault("service_api", "role:service", "Another service of the cloud."),
        PolicyDefault(
            "project_manager_or_admin", "rule:project_manager_api or rule:context_is_admin", "A project's manager, or an administrator."),
        PolicyDefault(
            "project_member_or_admin", "rule:project_member_api or rule:context_is_admin", "A project's member, or an administrator."),
        PolicyDefault(
            "project_reader_or_admin", "rule:project_reader_api or rule:context_is_admin", "A project's reader, or an administrator."),
        PolicyDefault("service_or_admin", "rule:service_api or rule:context_is_admin", "Another service, or an administrator."),
    ]

    private static let rules: [Audience: [Action]] = [
        .administrators: administrators, .members: members, .managers: managers, .readers: readers,
        .owners: [.listKeyPairs, .createKeyPair, .deleteKeyPair, .showKeyPair],
        .services: [.externalEvents],
        .everybody: [.listZones, .listExtensions, .showLimits, .defaultQuotas, .listFloatingIPPools],
    ]

    private static let administrators: [Action] = [
        .listAggregates, .createAggregate, .showAggregate, .updateAggregate, .deleteAggregate, .addAggregateHost, .removeAggregateHost,
        .setAggregateMetadata, .cacheAggregateImages, .detailZones, .showExtendedAttributes,
        .listFlavorAccess, .addFlavorAccess, .removeFlavorAccess, .createExtraSpecs, .updateExtraSpecs, .deleteExtraSpecs,
        .createFlavor, .updateFlavor, .deleteFlavor,
        .listHypervisors, .detailHypervisors, .showHypervisor, .hypervisorStatistics, .hypervisorUptime, .searchHypervisors,
        .hypervisorServers, .actionEvents, .actionEventDetails, .otherProjectLimits, .unlockOverride,
        .migrateToHost, .listAllMigrations, .showMigrationHosts, .showQuotaClass, .updateQuotaClass, .updateQuota, .deleteQuota,
        .serverDiagnostics, .listAllServerGroups, .showTopologyHost, .listAllServers, .detailAllServers, .allFilters, .showHostStatus,
        .showUnknownHostStatus, .createOnHost, .createAtDestination, .createWithoutDisk, .attachExternalNetwork,
        .listHosts, .showHost, .updateHost, .rebootHost, .shutdownHost, .startHost,
        .listServices, .updateService, .deleteService, .listUsages, .unshelveToHost, .liveMigrateToHost,
        .showServerMigration, .showServerMigrationHosts, .listAudits, .showAudit, .swapVolumeAttachment,
    ]

    private static let members: [Action] = [
        .createVolumeAttachment, .updateVolumeAttachment, .deleteVolumeAttachment,
        .attachInterface, .detachInterface, .remoteConsoles,
        .createSecurityGroup, .updateSecurityGroup, .deleteSecurityGroup, .createSecurityGroupRule, .deleteSecurityGroupRule,
        .createFloatingIP, .deleteFloatingIP, .createServerGroup, .deleteServerGroup,
        .createMetadata, .replaceMetadata, .updateMetadata, .deleteMetadata, .clearPassword,
        .deleteAllTags, .replaceTags, .deleteTag, .addTag,
        .createServer, .createWithVolume, .createWithNetwork, .createWithCertificates, .deleteServer, .updateServer,
        .createVolumeBackedImage, .createVolumeByView, .deleteVolumeByView, .createSnapshotByView,
        .deleteSnapshotByView,
    ]

    private static let managers: [Action] = [
        .listServerMigrations, .forceCompleteMigration, .abortMigration, .listMigrations,
    ]

    private static let readers: [Action] = [
        .listVolumeAttachments, .showVolumeAttachment,
        .listInterfaces, .showInterface, .listExtraSpecs, .showExtraSpecs, .listActions, .showAction, .listAddresses, .showAddresses,
        .showQuota, .detailQuota, .listSecurityGroups, .listServerGroups, .showServerGroup, .listMetadata, .showMetadata,
        .getSecurityGroups, .showSecurityGroup, .listFloatingIPs, .showFloatingIP, .listNetworkViews, .showNetworkView,
        .listVolumeViews, .detailVolumeViews, .showVolumeView,
        .listSnapshotViews, .detailSnapshotViews, .showSnapshotView,
        .listTenantNetworks, .showTenantNetwork, .showPassword, .listTags, .showTag, .showTopology,
        .listServers, .detailServers, .showServer, .showServerExtraSpecs, .showUsage,
    ]
}
