/// What once were extensions of the API: clients look here for what a cloud can do. All have long been part of it.
enum Extensions {
    struct Entry: Sendable {
        let alias: String
        let name: String
    }

    static let all: [Entry] = [
        ("OS-DCF", "DiskConfig"), ("OS-EXT-AZ", "ExtendedAvailabilityZone"), ("OS-EXT-IMG-SIZE", "ImageSize"),
        ("OS-EXT-IPS", "ExtendedIps"), ("OS-EXT-IPS-MAC", "ExtendedIpsMac"), ("OS-EXT-SRV-ATTR", "ExtendedServerAttributes"),
        ("OS-EXT-STS", "ExtendedStatus"), ("OS-FLV-DISABLED", "FlavorDisabled"), ("OS-FLV-EXT-DATA", "FlavorExtraData"),
        ("OS-SCH-HNT", "SchedulerHints"), ("OS-SRV-USG", "ServerUsage"), ("os-access-ips", "AccessIPs"),
        ("os-admin-actions", "AdminActions"), ("os-admin-password", "AdminPassword"), ("os-aggregates", "Aggregates"),
        ("os-attach-interfaces", "AttachInterfaces"), ("os-availability-zone", "AvailabilityZone"), ("os-config-drive", "ConfigDrive"),
        ("os-console-output", "ConsoleOutput"), ("os-deferred-delete", "DeferredDelete"), ("os-extended-hypervisors", "ExtendedHypervisors"),
        ("os-extended-quotas", "ExtendedQuotas"), ("os-extended-services", "ExtendedServices"),
        ("os-extended-services-delete", "ExtendedServicesDelete"), ("os-extended-status", "ExtendedStatus"),
        ("os-extended-volumes", "ExtendedVolumes"), ("os-flavor-access", "FlavorAccess"), ("os-flavor-extra-specs", "FlavorExtraSpecs"),
        ("os-flavor-manage", "FlavorManage"), ("os-flavor-rxtx", "FlavorRxtx"), ("os-flavor-swap", "FlavorSwap"),
        ("os-hosts", "Hosts"), ("os-hypervisor-status", "HypervisorStatus"), ("os-hypervisors", "Hypervisors"), ("os-instance-actions", "InstanceActions"),
        ("os-keypairs", "Keypairs"), ("os-lock-server", "LockServer"), ("os-migrations", "Migrations"),
        ("os-multiple-create", "MultipleCreate"), ("os-pause-server", "PauseServer"), ("os-personality", "Personality"),
        ("os-preserve-ephemeral-rebuild", "PreserveEphemeralOnRebuild"), ("os-quota-class-sets", "QuotaClasses"),
        ("os-quota-sets", "Quotas"), ("os-security-groups", "SecurityGroups"), ("os-server-diagnostics", "ServerDiagnostics"),
        ("os-server-group-quotas", "ServerGroupQuotas"), ("os-server-groups", "ServerGroups"),
        ("os-server-list-multi-status", "ServerListMultiStatus"), ("os-server-password", "ServerPassword"),
        ("os-server-sort-keys", "ServerSortKeys"), ("os-server-start-stop", "ServerStartStop"), ("os-services", "Services"),
        ("os-simple-tenant-usage", "SimpleTenantUsage"), ("os-suspend-server", "SuspendServer"), ("os-used-limits", "UsedLimits"),
        ("os-used-limits-for-admin", "UsedLimitsForAdmin"), ("os-user-data", "UserData"), ("os-user-quotas", "UserQuotas"),
    ].map { Entry(alias: $0.0, name: $0.1) }
}
