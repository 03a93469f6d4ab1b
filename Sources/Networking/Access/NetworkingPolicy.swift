import Access

/// Networking's policy rules, under the names of Neutron's policy files. Where Neutron's rule looks into the target
/// with `field:`, our target has an attribute for it: `shared`, `router:external`, `network_device`, `compute_device`.
///
/// `create_x:attribute` guards an attribute of a body, and `get_x:attribute` one of a view. An attribute is guarded if
/// such a rule exists; the resource's description need not say so.
enum NetworkingPolicy {
    static let defaults: [PolicyDefault] = (base + core + security + layer3 + sharing + operators).map { PolicyDefault(Action($0), $1) }

    private static let admin = "rule:admin_only"
    private static let service = "rule:service_api"
    private static let member = "(role:member and project_id:%(project_id)s)"
    private static let reader = "(role:reader and project_id:%(project_id)s)"
    private static let networkMember = "(role:member and rule:network_owner)"
    private static let networkReader = "(role:reader and rule:network_owner)"
    private static let adminOrMember = "\(admin) or \(member)"
    private static let adminOrReader = "\(admin) or \(reader)"
    private static let adminOrService = "\(admin) or \(service)"

    private static let base = [
        ("context_is_admin", "role:admin"),
        ("service_api", "role:service"),
        ("admin_only", "rule:context_is_admin"),
        ("owner", "project_id:%(project_id)s"),
        ("admin_or_owner", "rule:context_is_admin or rule:owner"),
        ("network_owner", "project_id:%(network:project_id)s"),
        ("sg_owner", "project_id:%(security_group:project_id)s"),
        ("shared", "True:%(shared)s"),
        ("external", "True:%(router:external)s"),
        ("network_device", "True:%(network_device)s"),
        ("compute_device", "True:%(compute_device)s"),
    ]

    private static let core =
        [
            ("create_network", adminOrMember), ("update_network", adminOrMember), ("delete_network", adminOrMember),
            ("get_network", "\(adminOrReader) or \(service) or rule:shared or rule:external"),
            ("create_network:port_security_enabled", adminOrMember), ("update_network:port_security_enabled", adminOrMember),
            ("create_subnet", "\(admin) or \(networkMember)"),
            ("create_subnet:service_types", "\(admin) or \(networkMember)"),
            ("get_subnet", "\(reader) or rule:shared or rule:external or \(admin) or \(networkReader) or \(service)"),
            ("update_subnet", "\(member) or \(admin) or \(networkMember)"),
            ("update_subnet:service_types", "\(member) or \(admin) or \(networkMember)"),
            ("delete_subnet", "\(member) or \(admin) or \(networkMember)"),
            ("create_port", "\(adminOrService) or \(networkMember) or rule:shared"),
            ("get_port", "\(adminOrService) or \(networkReader) or \(reader)"),
            ("update_port", "\(adminOrService) or \(member)"),
            ("delete_port", "\(adminOrService) or (not rule:compute_device and (\(networkMember) or \(member)))"),
            ("create_port:fixed_ips", "\(adminOrService) or \(networkMember) or rule:shared"),
            ("create_port:fixed_ips:subnet_id", "\(adminOrService) or \(networkMember) or rule:shared"),
            ("update_port:fixed_ips", "\(adminOrService) or \(networkMember)"),
            ("update_port:fixed_ips:subnet_id", "\(adminOrService) or \(networkMember) or rule:shared"),
            ("create_port:mac_address", "\(adminOrService) or \(networkMember)"),
            ("update_port:mac_address", "\(adminOrService) or (role:manager and rule:network_owner)"),
        ]
        + ["shared", "router:external", "is_default", "provider:network_type", "provider:physical_network", "provider:segmentation_id"]
        .flatMap { [("create_network:\($0)", admin), ("update_network:\($0)", admin)] }
        + ["network_type", "physical_network", "segmentation_id"].map { ("get_network:provider:\($0)", admin) }
        + ["vif_type", "vif_details", "host_id", "profile"].map { ("get_port:binding:\($0)", adminOrService) }
        + ["create", "update"].flatMap {
            [
                ("\($0)_port:device_id", "\(adminOrMember) or \(service)"),
                ("\($0)_port:device_owner", "not rule:network_device or \(adminOrService) or \(networkMember)"),
                ("\($0)_port:fixed_ips:ip_address", "\(adminOrService) or \(networkMember)"),
                ("\($0)_port:port_security_enabled", "\(adminOrService) or \(networkMember)"),
                ("\($0)_port:binding:host_id", adminOrService),
                ("\($0)_port:binding:profile", adminOrService),
                ("\($0)_port:binding:vnic_type", "\(adminOrMember) or \(service)"),
                ("\($0)_port:allowed_address_pairs", "\(admin) or \(networkMember) or \(service)"),
                ("\($0)_port:allowed_address_pairs:mac_address", "\(admin) or \(networkMember) or \(service)"),
                ("\($0)_port:allowed_address_pairs:ip_address", "\(admin) or \(networkMember) or \(service)"),
            ]
        }

    private static let security =
        [
            ("get_security_group", "\(adminOrReader) or rule:shared"),
            ("create_security_group_rule", "\(admin) or (role:member and rule:sg_owner)"),
            ("get_security_group_rule", "\(admin) or (role:reader and rule:sg_owner)"),
            ("update_security_group_rule", "\(admin) or (role:member and rule:sg_owner)"),
            ("delete_security_group_rule", "\(admin) or (role:member and rule:sg_owner)"),
            ("get_address_group", "\(adminOrReader) or rule:shared"),
            ("add_addresses", adminOrMember), ("remove_addresses", adminOrMember),
            ("get_default_security_group_rule", "role:reader or \(admin)"),
        ]
        + writes(of: "security_group", adminOrMember) + writes(of: "address_group", adminOrMember)
        + writes(of: "default_security_group_rule", admin)

    private static let layer3 =
        [
            ("get_router", adminOrReader), ("get_floatingip", adminOrReader),
            ("get_router:distributed", admin), ("get_router:ha", admin),
            ("create_floatingip:floating_ip_address", "\(admin) or (role:manager and project_id:%(project_id)s)"),
            ("add_router_interface", adminOrMember), ("remove_router_interface", adminOrMember),
            ("add_extraroutes", adminOrMember), ("remove_extraroutes", adminOrMember),
        ]
        + writes(of: "router", adminOrMember) + writes(of: "floatingip", adminOrMember)
        + ["create", "update"].flatMap {
            [
                ("\($0)_router:distributed", admin), ("\($0)_router:ha", admin),
                ("\($0)_router:external_gateway_info", adminOrMember), ("\($0)_router:external_gateway_info:network_id", adminOrMember),
                ("\($0)_router:external_gateway_info:enable_snat", admin),
                ("\($0)_router:external_gateway_info:external_fixed_ips", admin),
            ]
        }

    private static let sharing =
        [
            ("get_subnetpool", "\(adminOrReader) or rule:shared"),
            ("create_subnetpool:shared", admin), ("create_subnetpool:is_default", admin), ("update_subnetpool:is_default", admin),
            ("get_address_scope", "\(adminOrReader) or rule:shared"),
            ("create_address_scope:shared", admin), ("update_address_scope:shared", admin),
            ("get_rbac_policy", adminOrReader),
            ("create_rbac_policy:target_tenant", "\(admin) or not '*':%(target_tenant)s"),
            ("update_rbac_policy:target_tenant", "\(admin) or not '*':%(target_tenant)s"),
        ]
        + writes(of: "subnetpool", adminOrMember) + writes(of: "address_scope", adminOrMember) + writes(of: "rbac_policy", adminOrMember)

    private static let operators = [
        ("get_quota", "\(admin) or (role:manager and project_id:%(project_id)s)"), ("update_quota", admin), ("delete_quota", admin),
        ("get_network_ip_availability", adminOrService),
        ("get_agent", admin), ("update_agent", admin), ("delete_agent", admin), ("get_availability_zone", "role:reader or \(admin)"),
    ]

    private static func writes(of noun: String, _ rule: String) -> [(String, String)] {
        ["create", "update", "delete"].map { ("\($0)_\(noun)", rule) }
    }
}
