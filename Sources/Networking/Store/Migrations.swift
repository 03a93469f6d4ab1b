import SQL

extension Schema {
    /// Networking's tables. The row that holds an address allocates it: the key of `networking_ip_allocation` prevents
    /// that two ports ever have the same one. `ip` and `next_ip` are hexadecimal with a fixed number of digits, so that
    /// they sort as addresses.
    static let networking = Schema(
        service: "networking",
        [
            Migration(
                1, "networks to quotas",
                [layer2, addresses, security, layer3, sharing].joined(separator: "\n")),
            Migration(2, "ports of servers, hosts of routers", servers),
            Migration(3, "what operators say of agents", agents),
            Migration(4, "usage that the database keeps", Ledger.creation(of: "networking_usage", Tally.networking)),
            Migration(5, "servers by their addresses", found),
            Migration(6, "the hosts that a change concerns", touches),
        ])

    private static let found = """
        CREATE INDEX networking_ip_allocation_address ON networking_ip_allocation (address);
        CREATE INDEX networking_floating_ip_text ON networking_floating_ip (address);
        """

    private static let touches = """
        CREATE INDEX networking_port_network_host ON networking_port (network_id, host);
        CREATE INDEX networking_security_group_rule_addresses
          ON networking_security_group_rule (remote_address_group_id);
        """

    private static let agents = """
        CREATE TABLE networking_agent (host_id TEXT PRIMARY KEY, admin_state_up INTEGER NOT NULL, description TEXT);
        """

    private static let servers = """
        CREATE TABLE networking_server_port (
          port_id TEXT PRIMARY KEY REFERENCES networking_port(id) ON DELETE CASCADE, server_id TEXT NOT NULL, position INTEGER NOT NULL,
          tag TEXT, is_given INTEGER NOT NULL);
        CREATE INDEX networking_server_port_server ON networking_server_port (server_id, position);
        ALTER TABLE networking_router ADD COLUMN host TEXT NOT NULL DEFAULT '';
        CREATE INDEX networking_router_host ON networking_router (host);
        CREATE TABLE networking_problem (
          host TEXT NOT NULL, subject TEXT NOT NULL, id TEXT NOT NULL, detail TEXT NOT NULL, PRIMARY KEY (host, subject, id));
        """

    private static let standard = "project_id TEXT NOT NULL, created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, revision_number INTEGER NOT NULL"

    private static let layer2 = """
        CREATE TABLE networking_network (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, admin_state_up INTEGER NOT NULL, status TEXT NOT NULL, is_external INTEGER NOT NULL,
          is_default INTEGER NOT NULL, type TEXT NOT NULL, physical_network TEXT, segment_id INTEGER, mtu INTEGER NOT NULL,
          port_security_enabled INTEGER NOT NULL, availability_zone_hints TEXT NOT NULL, \(standard), description TEXT NOT NULL);
        CREATE INDEX networking_network_project ON networking_network (project_id);
        CREATE UNIQUE INDEX networking_network_segment ON networking_network (type, coalesce(physical_network, ''), segment_id)
          WHERE segment_id IS NOT NULL;
        CREATE UNIQUE INDEX networking_network_flat ON networking_network (physical_network) WHERE type = 'flat';

        CREATE TABLE networking_subnet (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, network_id TEXT NOT NULL REFERENCES networking_network(id), ip_version INTEGER NOT NULL,
          cidr TEXT NOT NULL, subnetpool_id TEXT, gateway_ip TEXT, allocation_pools TEXT NOT NULL, dns_nameservers TEXT NOT NULL,
          host_routes TEXT NOT NULL, enable_dhcp INTEGER NOT NULL, ipv6_ra_mode TEXT, ipv6_address_mode TEXT, service_types TEXT NOT NULL,
          \(standard), description TEXT NOT NULL);
        CREATE INDEX networking_subnet_network ON networking_subnet (network_id);
        CREATE INDEX networking_subnet_project ON networking_subnet (project_id);
        CREATE INDEX networking_subnet_of_pool ON networking_subnet (subnetpool_id);

        CREATE TABLE networking_port (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, network_id TEXT NOT NULL REFERENCES networking_network(id),
          admin_state_up INTEGER NOT NULL, mac_address TEXT NOT NULL, device_id TEXT NOT NULL, device_owner TEXT NOT NULL,
          status TEXT NOT NULL, port_security INTEGER NOT NULL, address_pairs TEXT NOT NULL, dhcp_options TEXT NOT NULL,
          host TEXT NOT NULL, vnic_type TEXT NOT NULL, profile TEXT NOT NULL, \(standard), description TEXT NOT NULL);
        CREATE UNIQUE INDEX networking_port_mac ON networking_port (network_id, mac_address);
        CREATE INDEX networking_port_project ON networking_port (project_id);
        CREATE INDEX networking_port_device ON networking_port (device_id);
        CREATE INDEX networking_port_host ON networking_port (host);
        """

    private static let addresses = """
        CREATE TABLE networking_ip_allocation (
          subnet_id TEXT NOT NULL REFERENCES networking_subnet(id), ip TEXT NOT NULL, next_ip TEXT NOT NULL, address TEXT NOT NULL,
          port_id TEXT NOT NULL REFERENCES networking_port(id) ON DELETE CASCADE, network_id TEXT NOT NULL, position INTEGER NOT NULL,
          PRIMARY KEY (subnet_id, ip));
        CREATE INDEX networking_ip_allocation_port ON networking_ip_allocation (port_id);
        CREATE UNIQUE INDEX networking_ip_allocation_network ON networking_ip_allocation (network_id, ip);
        """

    private static let security = """
        CREATE TABLE networking_security_group (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, stateful INTEGER NOT NULL, is_default INTEGER NOT NULL, \(standard),
          description TEXT NOT NULL);
        CREATE INDEX networking_security_group_project ON networking_security_group (project_id);
        CREATE UNIQUE INDEX networking_security_group_default ON networking_security_group (project_id) WHERE is_default = 1;

        CREATE TABLE networking_security_group_rule (
          id TEXT PRIMARY KEY, security_group_id TEXT NOT NULL REFERENCES networking_security_group(id) ON DELETE CASCADE,
          direction TEXT NOT NULL, ethertype TEXT NOT NULL, protocol TEXT, port_range_min INTEGER, port_range_max INTEGER,
          remote_ip_prefix TEXT, remote_group_id TEXT, remote_address_group_id TEXT, \(standard), description TEXT NOT NULL);
        CREATE INDEX networking_security_group_rule_group ON networking_security_group_rule (security_group_id);
        CREATE INDEX networking_security_group_rule_project ON networking_security_group_rule (project_id);
        CREATE INDEX networking_security_group_rule_remote ON networking_security_group_rule (remote_group_id);

        CREATE TABLE networking_port_security_group (
          port_id TEXT NOT NULL REFERENCES networking_port(id) ON DELETE CASCADE,
          group_id TEXT NOT NULL REFERENCES networking_security_group(id), PRIMARY KEY (port_id, group_id));
        CREATE INDEX networking_port_security_group_group ON networking_port_security_group (group_id);

        CREATE TABLE networking_address_group (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, addresses TEXT NOT NULL, \(standard), description TEXT NOT NULL);
        CREATE INDEX networking_address_group_project ON networking_address_group (project_id);

        CREATE TABLE networking_default_rule (
          id TEXT PRIMARY KEY, direction TEXT NOT NULL, ethertype TEXT NOT NULL, protocol TEXT, port_range_min INTEGER,
          port_range_max INTEGER, remote_ip_prefix TEXT, remote_group_id TEXT, remote_address_group_id TEXT,
          used_in_default_sg INTEGER NOT NULL, used_in_non_default_sg INTEGER NOT NULL, description TEXT NOT NULL);
        INSERT INTO networking_default_rule
          (id, direction, ethertype, remote_group_id, used_in_default_sg, used_in_non_default_sg, description) VALUES
          ('3b0f3f0c-6a57-4f0e-9e43-0d1c6b1f0a01', 'egress', 'IPv4', NULL, 1, 1, 'All that goes out'),
          ('3b0f3f0c-6a57-4f0e-9e43-0d1c6b1f0a02', 'egress', 'IPv6', NULL, 1, 1, 'All that goes out'),
          ('3b0f3f0c-6a57-4f0e-9e43-0d1c6b1f0a03', 'ingress', 'IPv4', 'PARENT', 1, 0, 'What comes from the same group'),
          ('3b0f3f0c-6a57-4f0e-9e43-0d1c6b1f0a04', 'ingress', 'IPv6', 'PARENT', 1, 0, 'What comes from the same group');
        """

    private static let layer3 = """
        CREATE TABLE networking_router (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, admin_state_up INTEGER NOT NULL, status TEXT NOT NULL, routes TEXT NOT NULL,
          availability_zone_hints TEXT NOT NULL, gateway_port_id TEXT REFERENCES networking_port(id), snat INTEGER NOT NULL, \(standard),
          description TEXT NOT NULL);
        CREATE INDEX networking_router_project ON networking_router (project_id);
        CREATE INDEX networking_router_gateway ON networking_router (gateway_port_id);

        CREATE TABLE networking_floating_ip (
          id TEXT PRIMARY KEY, network_id TEXT NOT NULL REFERENCES networking_network(id), address TEXT NOT NULL,
          own_port_id TEXT NOT NULL REFERENCES networking_port(id), port_id TEXT REFERENCES networking_port(id), fixed_address TEXT,
          router_id TEXT REFERENCES networking_router(id), status TEXT NOT NULL, \(standard), description TEXT NOT NULL);
        CREATE UNIQUE INDEX networking_floating_ip_address ON networking_floating_ip (network_id, address);
        CREATE UNIQUE INDEX networking_floating_ip_target ON networking_floating_ip (network_id, port_id, fixed_address) WHERE port_id IS NOT NULL;
        CREATE INDEX networking_floating_ip_project ON networking_floating_ip (project_id);
        CREATE INDEX networking_floating_ip_port ON networking_floating_ip (port_id);
        CREATE INDEX networking_floating_ip_own_port ON networking_floating_ip (own_port_id);
        CREATE INDEX networking_floating_ip_router ON networking_floating_ip (router_id);
        """

    private static let sharing = """
        CREATE TABLE networking_subnet_pool (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, ip_version INTEGER NOT NULL, prefixes TEXT NOT NULL, default_quota INTEGER,
          default_prefixlen INTEGER NOT NULL, min_prefixlen INTEGER NOT NULL, max_prefixlen INTEGER NOT NULL, is_default INTEGER NOT NULL,
          address_scope_id TEXT, \(standard), description TEXT NOT NULL);
        CREATE INDEX networking_subnet_pool_project ON networking_subnet_pool (project_id);
        CREATE UNIQUE INDEX networking_subnet_pool_default ON networking_subnet_pool (ip_version) WHERE is_default = 1;

        CREATE TABLE networking_address_scope (
          id TEXT PRIMARY KEY, name TEXT NOT NULL, ip_version INTEGER NOT NULL, project_id TEXT NOT NULL);
        CREATE INDEX networking_address_scope_project ON networking_address_scope (project_id);

        CREATE TABLE networking_rbac_policy (
          id TEXT PRIMARY KEY, object_type TEXT NOT NULL, object_id TEXT NOT NULL, action TEXT NOT NULL, target TEXT NOT NULL,
          project_id TEXT NOT NULL);
        CREATE UNIQUE INDEX networking_rbac_policy_object ON networking_rbac_policy (object_id, action, target);
        CREATE INDEX networking_rbac_policy_target ON networking_rbac_policy (target, action);
        CREATE INDEX networking_rbac_policy_project ON networking_rbac_policy (project_id);

        CREATE TABLE networking_tag (resource_id TEXT NOT NULL, tag TEXT NOT NULL, PRIMARY KEY (resource_id, tag));
        CREATE INDEX networking_tag_tag ON networking_tag (tag);

        CREATE TABLE networking_quota (
          project_id TEXT NOT NULL, resource TEXT NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (project_id, resource));
        """
}
