/// The bounds on the lists that one thing may have.
package struct ThingLimits: Sendable {
    package let tags = Limit(50, "tags of a server, and of each thing of Networking", answer: "400")
    package let imageTags = Limit(128, "tags of an image (the reference's `image_tag_quota`)", answer: "400")
    package let imageBytes = Limit(1 << 40, "bytes of an image's data (`image_size_cap`)", answer: "413")
    package let imageProperties = Limit(128, "properties of an image (`image_property_quota`)", answer: "413")
    package let imagePropertyBytes = Limit(
        256 << 10, "bytes of the names and values of an image's properties, as JSON", answer: "413")
    package let imageMembers = Limit(128, "projects that an image is shared with (`image_member_quota`)", answer: "413")
    package let imageLocations = Limit(64, "locations of an image", answer: "400")
    package let url = Limit(4096, "bytes of a URL that an image is imported from", answer: "400")
    package let password = Limit(4096, "bytes of a password", answer: "400")
    package let accessRules = Limit(100, "access rules of one application credential", answer: "400")
    package let localDisks = Limit(16, "local disks of a server", answer: "400")
    package let disks = Limit(26, "disks of a server, with its volumes", answer: "400, 403")
    package let waitingActions = Limit(15, "actions that wait for their turn on one server", answer: "409")
    package let waitingSnapshots = Limit(
        100, "snapshots of one volume that wait to be taken or deleted", answer: "409")
    package let groupVolumes = Limit(100, "volumes of a group", answer: "400")
    package let flows = Limit(
        8192, "connections that a port has begun, at its host; others may have begun four times as many with it",
        answer: "the first packet of a further one is dropped")
    package let fixedIPs = Limit(64, "addresses of a port", answer: "400")
    package let dhcpOptions = Limit(64, "DHCP options of a port", answer: "409 `OverQuota`")
    package let addressPairs = Limit(10, "allowed address pairs of a port (`max_allowed_address_pair`)", answer: "400")
    package let allocationPools = Limit(256, "allocation pools of a subnet", answer: "400")
    package let serviceTypes = Limit(64, "service types of a subnet", answer: "400")
    package let nameservers = Limit(5, "name servers of a subnet (`max_dns_nameservers`)", answer: "400")
    package let hostRoutes = Limit(20, "routes of a subnet (`max_subnet_host_routes`)", answer: "400")
    package let routes = Limit(30, "routes of a router (`max_routes`)", answer: "400")
    package let zoneHints = Limit(64, "hints of availability zones of a network or a router", answer: "400")
    package let addresses = Limit(1000, "addresses of an address group", answer: "409 `OverQuota`")
    package let prefixes = Limit(
        100, "prefixes of a subnet pool, after neighbours are merged", answer: "409 `OverQuota`")
    package let scopePrefixes = Limit(
        2000, "prefixes of all subnet pools of one address scope, and of all pools of one request",
        answer: "409 `OverQuota`")
}

/// The bounds on what one user, one project or one consumer keeps, apart from the quotas that the APIs show.
package struct OwnerLimits: Sendable {
    package let credentials = Limit(
        200, "credentials of a user, EC2 keys and secrets of passcodes among them", answer: "403")
    package let applicationCredentials = Limit(200, "application credentials of a user", answer: "403")
    package let accessRules = Limit(
        2000, "access rules of a user, also those that no credential names any more", answer: "403")
    package let trusts = Limit(
        200, "trusts that a user gives; ended ones are removed when there is no room", answer: "403")
    package let requestTokens = Limit(
        1000, "OAuth1 request tokens of a consumer, each at most eight hours old", answer: "403")
    package let accessTokens = Limit(200, "OAuth1 access tokens of a user", answer: "403")
    package let revocations = Limit(
        1000, "tokens, trusts and passwords that a user ends in an hour", answer: "429 with `Retry-After`")
    package let images = Limit(
        2000, "images of a project, unless a limit for `image_count_total` is registered", answer: "413")
    package let addressGroups = Limit(100, "address groups of a project", answer: "409 `OverQuota`")
    package let addressScopes = Limit(100, "address scopes of a project", answer: "409 `OverQuota`")
    package let subnetPools = Limit(
        1000, "subnet pools of a project, also if its quota is higher", answer: "409 `OverQuota`")
    package let defaultRules = Limit(
        100, "default rules of security groups, of all projects together", answer: "409 `OverQuota`")
}

/// The bounds on log-ins that fail. Those that succeed never count. An operator may change the first three.
package struct LogInLimits: Sendable {
    package let accountFailures = Limit(
        30, "failed log-ins of one account in a window", answer: "429 with `Retry-After`")
    package let addressFailures = Limit(
        100, "failed log-ins from one address in a window (from one /64 of IPv6)", answer: "429 with `Retry-After`")
    package let window = Limit(
        300, "seconds of a window, which begins with its first failure", answer: "the count begins anew")
    package let counters = Limit(
        20_000, "accounts, and as many addresses, that are counted at a time", answer: "the oldest are forgotten")
    package let known = Limit(
        20_000, "pairs of an account and an address that have logged in", answer: "the oldest are forgotten")
    package let passcodes = Limit(
        5, "wrong passcodes in a row, if `lockout_failure_attempts` is not set", answer: "401 for `lockout_duration`")
    package let hashes = Limit(512, "passwords that wait to be hashed", answer: "503")
}
