import CloudCore

/// What can be configured for one domain alone, and what holds for a domain that says nothing: the names and defaults of
/// Keystone's `identity` and `ldap` drivers. The API is whole; a driver that would read it is not built in.
enum DomainOption {
    /// One of them, with what it is set to.
    struct Setting: Sendable {
        var group: String
        var name: String
        var value: JSON
    }

    /// The options that are shown, by group, in their order.
    static let standards: [(group: String, options: [(name: String, value: JSON)])] = [
        ("identity", [("driver", "sql"), ("list_limit", nil)]),
        (
            "ldap",
            [
                ("url", "ldap://localhost"), ("user", nil), ("suffix", "cn=example,cn=com"), ("query_scope", "one"), ("page_size", 0),
                ("alias_dereferencing", "default"), ("debug_level", nil), ("chase_referrals", nil), ("user_tree_dn", nil),
                ("user_filter", nil), ("user_objectclass", "inetOrgPerson"), ("user_id_attribute", "cn"), ("user_name_attribute", "sn"),
                ("user_mail_attribute", "mail"), ("user_description_attribute", "description"), ("user_pass_attribute", "userPassword"),
                ("user_enabled_attribute", "enabled"), ("user_enabled_invert", false), ("user_enabled_mask", 0),
                ("user_enabled_default", "True"), ("user_attribute_ignore", ["default_project_id"]),
                ("user_default_project_id_attribute", nil), ("user_enabled_emulation", false), ("user_enabled_emulation_dn", nil),
                ("user_enabled_emulation_use_group_config", false), ("user_additional_attribute_mapping", []), ("group_tree_dn", nil),
                ("group_filter", nil), ("group_objectclass", "groupOfNames"), ("group_id_attribute", "cn"), ("group_name_attribute", "ou"),
                ("group_members_are_ids", false), ("group_member_attribute", "member"), ("group_desc_attribute", "description"),
                ("group_attribute_ignore", []), ("group_additional_attribute_mapping", []), ("tls_cacertfile", nil),
                ("tls_cacertdir", nil), ("use_tls", false), ("tls_req_cert", "demand"), ("use_pool", true), ("pool_size", 10),
                ("pool_retry_max", 3), ("pool_retry_delay", 0.1), ("pool_connection_timeout", -1), ("pool_connection_lifetime", 600),
                ("use_auth_pool", true), ("auth_pool_size", 100), ("auth_pool_connection_lifetime", 60),
            ]
        ),
    ]

    /// Options that are taken and never shown.
    private static let secrets: [String: Set<String>] = ["ldap": ["password"]]

    /// Not configured for a domain, but shown with its configuration: users must know what their passwords must be.
    static let compliance = "security_compliance"

    static func isSecret(_ group: String, _ name: String) -> Bool { secrets[group]?.contains(name) ?? false }

    static func standard(_ group: String, _ name: String) -> JSON? {
        standards.first { $0.group == group }?.options.first { $0.name == name }?.value
    }

    /// - Throws: `CloudError.forbidden` for a group or an option that there is not.
    static func check(_ group: String, _ name: String? = nil) throws {
        guard standards.contains(where: { $0.group == group }) else {
            throw invalid("Group \(group.prefix(64)) is not supported for domain specific configurations")
        }
        guard let name, standard(group, name) == nil, !isSecret(group, name) else { return }
        throw invalid("Option \(name.prefix(64)) in group \(group) is not supported for domain specific configurations")
    }

    static func invalid(_ reason: String) -> CloudError { .forbidden("Invalid domain specific configuration: \(reason).") }

    // MARK: Bodies and views

    /// Reads `{"ldap": {"url": "…"}}`.
    static func settings(_ config: JSONObject) throws -> [Setting] {
        guard !config.isEmpty else { throw invalid("No options specified") }
        var settings: [Setting] = []
        for (group, options) in config.members {
            guard let options = options.object, !options.isEmpty else {
                throw invalid("The value of group \(group.prefix(64)) specified in the config should be a dictionary of options")
            }
            for (name, value) in options.members {
                try check(group, name)
                settings.append(Setting(group: group, name: name, value: value))
            }
        }
        return settings
    }

    static func config(_ settings: [Setting]) -> JSONObject {
        var config = JSONObject()
        for setting in settings {
            var options = config[setting.group]?.object ?? [:]
            options[setting.name] = setting.value
            config[setting.group] = .object(options)
        }
        return config
    }
}
