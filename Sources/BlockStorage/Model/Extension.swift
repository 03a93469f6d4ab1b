/// The extensions of the API, as the reference names them. The list leaves out those that Novella does not have.
struct Extension: Sendable {
    let name: String
    let alias: String
    let updated: String
    let summary: String

    private init(_ name: String, _ alias: String, _ updated: String, _ summary: String) {
        (self.name, self.alias, self.updated, self.summary) = (name, alias, updated + "T00:00:00+00:00", summary)
    }

    static let all: [Extension] = [
        .init("SchedulerHints", "OS-SCH-HNT", "2013-04-18", "Pass arbitrary key/value pairs to the scheduler."),
        .init("AdminActions", "os-admin-actions", "2012-08-25", "Enable admin actions."),
        .init("AvailabilityZones", "os-availability-zone", "2013-06-27", "Describe Availability Zones."),
        .init("Backups", "backups", "2012-12-12", "Backups support."),
        .init("Cgsnapshots", "cgsnapshots", "2014-08-18", "cgsnapshots support."),
        .init("Consistencygroups", "consistencygroups", "2014-08-18", "consistency groups support."),
        .init("Capabilities", "capabilities", "2015-08-31", "Capabilities support."),
        .init("ExtendedServices", "os-extended-services", "2014-01-10", "Extended services support."),
        .init(
            "ExtendedSnapshotAttributes", "os-extended-snapshot-attributes", "2012-06-19",
            "Extended snapshot support."),
        .init("Hosts", "os-hosts", "2011-06-29", "Admin-only host administration."),
        .init("Qos_specs_manage", "qos-specs", "2013-08-02", "QoS specs support."),
        .init("QuotaClasses", "os-quota-class-sets", "2012-03-12", "Quota classes management support."),
        .init("Quotas", "os-quota-sets", "2011-08-08", "Quota management support."),
        .init("Scheduler_stats", "scheduler-stats", "2014-09-07", "Scheduler stats support."),
        .init("Services", "os-services", "2012-10-28", "Services support."),
        .init("SnapshotActions", "os-snapshot-actions", "2013-07-16", "Enable snapshot manager actions."),
        .init("TypesExtraSpecs", "os-types-extra-specs", "2011-08-24", "Type extra specs support."),
        .init("TypesManage", "os-types-manage", "2011-08-24", "Types manage support."),
        .init("UsedLimits", "os-used-limits", "2013-10-03", "Provide data on limited resources that are being used."),
        .init("VolumeActions", "os-volume-actions", "2012-05-31", "Enable volume actions."),
        .init("VolumeHostAttribute", "os-vol-host-attr", "2011-11-03", "Expose host as an attribute of a volume."),
        .init(
            "VolumeImageMetadata", "os-vol-image-meta", "2012-12-07",
            "Show image metadata associated with the volume."),
        .init(
            "VolumeMigStatusAttribute", "os-vol-mig-status-attr", "2013-08-08",
            "Expose migration_status as an attribute of a volume."),
        .init(
            "VolumeTenantAttribute", "os-vol-tenant-attr", "2011-11-03",
            "Expose the internal project_id as an attribute of a volume."),
        .init("VolumeTransfer", "os-volume-transfer", "2013-05-29", "Volume transfer management support."),
        .init("VolumeTypeEncryption", "encryption", "2013-07-01", "Encryption support for volume types."),
        .init("VolumeTypeAccess", "os-volume-type-access", "2014-06-26", "Volume type access support."),
    ]
}
