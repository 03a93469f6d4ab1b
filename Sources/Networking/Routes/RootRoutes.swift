import CloudCore
import HTTPKit
import HTTPTypes
import Resources

/// The routes of the API's versions, of the resources of v2.0, and of the extensions.
struct RootRoutes: Sendable {
    let world: World

    var all: [Route] {
        [
            .get("/") { call in
                .json { json in
                    json.array("versions", of: ["v2.0"]) { json, id in
                        json.object { json in
                            json.member("id", id)
                            json.member("status", "CURRENT")
                            Self.link("\(call.base)/v2.0/", &json)
                        }
                    }
                }
            },
            .get("/v2.0") { call in
                _ = try await call.caller()
                return .json { json in
                    json.array("resources", of: Self.collections) { json, noun in
                        json.object { json in
                            json.member("name", noun.name)
                            json.member("collection", noun.collection)
                            Self.link("\(call.base)/v2.0/\(noun.collection)", &json)
                        }
                    }
                }
            },
            .get("/v2.0/extensions") { call in
                _ = try await call.caller()
                return .json { json in
                    json.array("extensions", of: Extension.all) { json, one in json.object { one.write(&$0) } }
                }
            },
            // There is one provider, since this cloud does each thing in only one way.
            .get("/v2.0/service-providers") { call in
                _ = try await call.caller()
                return try await Self.providers.reply(
                    [["service_type": "L3_ROUTER_NAT", "name": "single_node", "default": true]], call)
            },
            .get("/v2.0/extensions/{id}") { call in
                _ = try await call.caller()
                let alias = call[parameter: "id"]
                guard let one = Extension.all.first(where: { $0.alias == alias }) else {
                    throw CloudError.networking(.notFound, "HTTPNotFound", "Extension with alias \(alias.prefix(64)) does not exist")
                }
                return .json { json in json.object("extension") { one.write(&$0) } }
            },
        ]
    }

    /// The list of service providers, by which clients find what the cloud can do in addition. It ignores unknown
    /// filters, as the reference does.
    private static let providers = ViewList(
        plural: "service_providers", key: "name", filters: ["service_type", "name", "default"], isStrict: false)

    private static let collections: [(name: String, collection: String)] = [
        ("network", Network.segment), ("subnet", Subnet.segment), ("subnetpool", SubnetPool.segment), ("port", Port.segment),
        ("security_group", SecurityGroup.segment), ("security_group_rule", SecurityGroupRule.segment), ("router", Router.segment),
        ("floatingip", FloatingIP.segment), ("address_group", AddressGroup.segment), ("address_scope", AddressScope.segment),
        ("rbac_policy", RBACPolicy.segment),
    ]

    private static func link(_ href: String, _ json: inout JSONWriter) {
        json.array("links", of: [href]) { json, href in
            json.object { json in
                json.member("rel", "self")
                json.member("href", href)
            }
        }
    }
}

/// A part of the API that clients look for before they use it. An alias is listed only if its behaviour is implemented.
struct Extension: Sendable {
    let alias: String
    let name: String

    func write(_ json: inout JSONWriter) {
        json.member("alias", alias)
        json.member("name", name)
        json.member("description", name)
        json.member("updated", "2026-01-01T00:00:00-00:00")
        json.array("links", of: [String]()) { $0.string($1) }
    }

    static let all: [Extension] = [
        ("address-group", "Address group"), ("address-scope", "Address scope"), ("agent", "agent"),
        ("allowed-address-pairs", "Allowed Address Pairs"), ("availability_zone", "Availability Zone"),
        ("availability_zone_filter", "Availability Zone Filter Extension"), ("binding", "Port Binding"),
        ("default-subnetpools", "Default Subnetpools"), ("empty-string-filtering", "Empty String Filtering Extension"),
        ("ext-gw-mode", "Neutron L3 Configurable external gateway mode"), ("external-net", "Neutron external network"),
        ("extra_dhcp_opt", "Neutron Extra DHCP options"), ("extraroute", "Neutron Extra Route"),
        ("extraroute-atomic", "Atomically add/remove extra routes"),
        ("filter-validation", "Filter parameters validation"), ("fip-port-details", "Floating IP Port Details Extension"),
        ("ip-substring-filtering", "IP address substring filtering"), ("net-mtu", "Network MTU"),
        ("net-mtu-writable", "Network MTU (writable)"), ("network-ip-availability", "Network IP Availability"),
        ("network_availability_zone", "Network Availability Zone"), ("pagination", "Pagination support"),
        ("port-mac-address-regenerate", "Neutron Port MAC address regenerate"), ("port-security", "Port Security"),
        ("project-id", "project_id field enabled"), ("provider", "Provider Network"),
        ("quota_details", "Quota details management support"), ("quotas", "Quota management support"),
        ("rbac-address-group", "Add address_group type to RBAC"), ("rbac-address-scope", "Add address_scope type to RBAC"),
        ("rbac-policies", "RBAC Policies"), ("rbac-security-groups", "Add security_group type to network RBAC"),
        ("rbac-subnetpool", "Add subnetpool type to RBAC"),
        ("revision-if-match", "If-Match constraints based on revision_number"), ("router", "Neutron L3 Router"),
        ("router_availability_zone", "Router Availability Zone"), ("security-group", "security-group"),
        ("security-groups-default-rules", "Default rules for security groups"),
        ("security-groups-normalized-cidr", "Normalized CIDR field for security group rules"),
        ("security-groups-remote-address-group", "Remote address group id field for security group rules"),
        ("security-groups-rules-belongs-to-default-sg", "Security group rule belongs to the project's default security group"),
        ("security-groups-shared-filtering", "Security group filtering on the shared field"), ("service-type", "Neutron Service Type Management"),
        ("sort-key-validation", "Sort key validation"), ("sorting", "Sorting support"),
        ("standard-attr-description", "standard-attr-description"), ("standard-attr-revisions", "Resource revision numbers"),
        ("standard-attr-tag", "Tag support for resources with standard attribute"), ("standard-attr-timestamp", "Resource timestamps"),
        ("stateful-security-group", "Stateful security group"), ("subnet-external-network", "Subnet belongs to an external network"),
        ("subnet-service-types", "Subnet service types"), ("subnet_allocation", "Subnet Allocation"),
        ("tag-creation", "Tag creation"), ("tag-ports-during-bulk-creation", "Tag Ports During Bulk Creation"),
    ].map { Extension(alias: $0.0, name: $0.1) }
}
