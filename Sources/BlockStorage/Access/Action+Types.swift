import Access

// The actions on types, quotas, hosts, messages and all that is not a volume, by the reference's names.

extension Action {
    static let createType: Action = "volume_extension:type_create"
    static let updateType: Action = "volume_extension:type_update"
    static let deleteType: Action = "volume_extension:type_delete"
    static let getType: Action = "volume_extension:type_get"
    static let listTypes: Action = "volume_extension:type_get_all"
    static let showTypeSpecs: Action = "volume_extension:access_types_extra_specs"
    static let showTypeQoS: Action = "volume_extension:access_types_qos_specs_id"
    static let listExtraSpecs: Action = "volume_extension:types_extra_specs:index"
    static let createExtraSpecs: Action = "volume_extension:types_extra_specs:create"
    static let showExtraSpecs: Action = "volume_extension:types_extra_specs:show"
    static let readSensitiveSpecs: Action = "volume_extension:types_extra_specs:read_sensitive"
    static let updateExtraSpecs: Action = "volume_extension:types_extra_specs:update"
    static let deleteExtraSpecs: Action = "volume_extension:types_extra_specs:delete"
    static let showTypeAccess: Action = "volume_extension:volume_type_access"
    static let addTypeAccess: Action = "volume_extension:volume_type_access:addProjectAccess"
    static let removeTypeAccess: Action = "volume_extension:volume_type_access:removeProjectAccess"
    static let listTypeAccess: Action = "volume_extension:volume_type_access:get_all_for_type"

    static let getTypeEncryption: Action = "volume_extension:volume_type_encryption:get"

    static let setDefaultType: Action = "volume_extension:default_set_or_update"
    static let getDefaultType: Action = "volume_extension:default_get"
    static let listDefaultTypes: Action = "volume_extension:default_get_all"
    static let unsetDefaultType: Action = "volume_extension:default_unset"

    static let listQoS: Action = "volume_extension:qos_specs_manage:get_all"
    static let getQoS: Action = "volume_extension:qos_specs_manage:get"
    static let createQoS: Action = "volume_extension:qos_specs_manage:create"
    static let updateQoS: Action = "volume_extension:qos_specs_manage:update"
    static let deleteQoS: Action = "volume_extension:qos_specs_manage:delete"

    static let getQuotaClass: Action = "volume_extension:quota_classes:get"
    static let updateQuotaClass: Action = "volume_extension:quota_classes:update"
    static let showQuota: Action = "volume_extension:quotas:show"
    static let updateQuota: Action = "volume_extension:quotas:update"
    static let deleteQuota: Action = "volume_extension:quotas:delete"
    static let showUsedLimits: Action = "limits_extension:used_limits"

    static let listPools: Action = "scheduler_extension:scheduler_stats:get_pools"
    static let showCapabilities: Action = "volume_extension:capabilities"
    static let listServices: Action = "volume_extension:services:index"
    static let updateServices: Action = "volume_extension:services:update"
    static let manageHosts: Action = "volume_extension:hosts"
    static let freezeHost: Action = "volume:freeze_host"
    static let thawHost: Action = "volume:thaw_host"
    static let failoverHost: Action = "volume:failover_host"
    static let listClusters: Action = "clusters:get_all"
    static let getCluster: Action = "clusters:get"
    static let updateCluster: Action = "clusters:update"
    static let cleanWorkers: Action = "workers:cleanup"

    static let listMessages: Action = "message:get_all"
    static let getMessage: Action = "message:get"
    static let deleteMessage: Action = "message:delete"
}
