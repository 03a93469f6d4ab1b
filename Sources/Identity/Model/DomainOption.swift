import CloudCore

/// The options that can be configured for a single domain, with their defaults. They have the names and defaults of
/// Keystone's `identity` and `ldap` drivers. The API is complete, but no driver that would read the options is built
/// in.
enum DomainOption {
    /// An option with its value.
    struct Setting: Sendable {
        var group: String
        var name: String
        var value: JSON
    }

    /// The options that views show, with their defaults, by group and in the order of the view.
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

    /// The options that can be set and are never shown, by group.
    private static let secrets: [String: Set<String>] = ["ldap": ["password"]]

    /// A group that cannot be configured for a domain, but is shown with its configuration, because users must know the
    /// rules for their passwords.
    static let compliance = "security_compliance"

    static func isSecret(_ group: String, _ name: String) -> Bool { secrets[group]?.contains(name) ?? false }

    static func standard(_ group: String, _ name: String) -> JSON? {
        standards.first { $0.group == group }?.options.first { $0.name == name }?.value
    }

    /// Checks that there is such a group, and such an option in it.
    ///
    /// - Throws: `CloudError.forbidden` for an unknown group or option.
    static func check(_ group: String, _ name: String? = nil) throws {
        guard standards.contains(where: { $0.group == group }) else {
            throw invalid("Group \(group.prefix(64)) is not supported for domain specific configurations")
        }
        guard let name, standard(group, name) == nil, !isSecret(group, name) else { return }
        throw invalid("Option \(name.prefix(64)) in group \(group) is not supported for domain specific configurations")
    }

    static func invalid(_ reason: String) -> CloudError { .forbidden("Invalid domain specific configuration: \(reason).") }

    // MARK: Bodies and views

    /// Reads a body's configuration, such as `{"ldap": {"url": "…"}}`.
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
