/// The resources that have a quota, in the order in which the API shows them.
enum QuotaResource: String, Sendable, CaseIterable {
    case instances, cores, ram
    case fixedIPs = "fixed_ips"
    case metadataItems = "metadata_items"
    case injectedFiles = "injected_files"
    case injectedFileBytes = "injected_file_content_bytes"
    case injectedPathBytes = "injected_file_path_bytes"
    case keyPairs = "key_pairs"
    case serverGroups = "server_groups"
    case serverGroupMembers = "server_group_members"
    case floatingIPs = "floating_ips"
    case securityGroups = "security_groups"
    case securityGroupRules = "security_group_rules"

    /// The limit of a project for which nothing else is set; -1 for no limit.
    var usual: Int {
        switch self {
        case .instances: 10
        case .cores: 20
        case .ram: 50 * 1024
        case .metadataItems: 128
        case .injectedFiles: 5
        case .injectedFileBytes: 10 * 1024
        case .injectedPathBytes: 255
        case .keyPairs: 100
        case .serverGroups, .serverGroupMembers: 10
        // Networking counts these and has their limits.
        case .fixedIPs, .floatingIPs, .securityGroups, .securityGroupRules: -1
        }
    }

    var isOfNetworking: Bool { [.fixedIPs, .floatingIPs, .securityGroups, .securityGroupRules].contains(self) }
    var isOfInjection: Bool { [.injectedFiles, .injectedFileBytes, .injectedPathBytes].contains(self) }

    /// Returns the resources that a microversion has.
    ///
    /// - Parameter networkingUntil: the last microversion that has the resources of Networking.
    static func known(_ minor: Int, networkingUntil: Int) -> [QuotaResource] {
        allCases.filter { !($0.isOfNetworking && minor > networkingUntil) && !($0.isOfInjection && minor >= 57) }
    }
}
