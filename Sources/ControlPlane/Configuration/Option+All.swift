import CloudCore
import Images

extension Option {
    /// All options, in the order in which they are shown.
    package static let all: [Option] = [
        // server
        .text(
            "server", "listen", \.server.listen, check: ListenAddress.problem,
            "The address and port to listen on, as `127.0.0.1:5000` or `[::]:5000`. Port 0 lets the system choose."),
        .optionalText(
            "server", "public_url", \.server.publicURL, check: problemOfURL,
            "What clients reach this cloud by, as `https://cloud.example.org`. Unset: the address that is listened on."),
        .optionalText(
            "server", "tls_certificate", \.server.tlsCertificate,
            "A PEM file with the certificate and its chain. Set together with `tls_key`; unset: plain HTTP."),
        .optionalText("server", "tls_key", \.server.tlsKey, "A PEM file with the certificate's private key."),
        .list(
            "server", "allowed_origin", \.server.allowedOrigins, check: { $0 == "*" ? nil : problemOfURL($0) },
            "Origins whose pages may call the API from a browser (CORS); `*` for all."),
        .integer(
            "server", "max_header_size", \.server.maxHeaderSize, 4096...1_048_576, unit: "bytes",
            "The most bytes that the headers of a request may have together."),
        .optionalInteger(
            "server", "max_request_body_size", \.server.maxRequestBodySize, 16_384...104_857_600, unit: "bytes",
            "The most bytes of a request's body that is read whole. Unset: what each service allows, 114688 for Identity and Compute, 1048576 for the others."),
        .integer(
            "server", "max_connections", \.server.maxConnections, 1...1_000_000,
            "Connections beyond these wait until others end."),
        .seconds(
            "server", "request_timeout", \.server.requestTimeout, 1...3600,
            "How long a request may take in all, unless it carries the data of an image. It is then cut off with a 503."
        ),
        .seconds(
            "server", "drain_timeout", \.server.drainTimeout, 0...3600,
            "How long requests under way may take to end once the cloud is told to stop."),
        // state
        .optionalText(
            "state", "directory", \.state.directory,
            "Where this cloud keeps its data. Unset: `/var/lib/novella` for root, `~/.local/state/novella` for others."),
        .optionalText(
            "state", "key_file", \.state.keyFile,
            "The file with the master key. Unset: `secret.key` in the state directory. Processes that share a database share it."),
        // database
        .secret(
            "database", "connection", \.database.connection, check: problemOfDatabase,
            "`postgresql://user:password@host/name` (PostgreSQL 15 or later). Unset: SQLite in the state directory."),
        .integer(
            "database", "max_pool_size", \.database.maxPoolSize, 1...500,
            "PostgreSQL: sessions, and so transactions at the same time. SQLite: as many readers, 4 at most."),
        // log
        .choice(
            "log", "level", \.log.level, ["trace", "debug", "info", "notice", "warning", "error", "critical"],
            "The least level that is logged to standard error."),
        .flag("log", "access", \.log.access, "Whether `log/access.log` in the state directory gets a line for each request."),
        .optionalText(
            "log", "spans", \.log.spans,
            "A file that gets a line of OTLP's JSON for each request, workflow and step. Unset: there are no spans."),
        // cloud
        .text("cloud", "region_name", \.cloud.regionName, check: problemOfRegion, "The region of this cloud's endpoints."),
        // token
        .seconds("token", "expiration", \.token.expiration, 60...2_592_000, "How long a token is good."),
        .seconds(
            "token", "key_rotation_interval", \.token.keyRotationInterval, 600...31_536_000,
            "How often a new key takes over sealing tokens. Older ones are kept for as long as a token of theirs may live."),
        // oslo_policy
        .optionalText(
            "oslo_policy", "policy_file", \.policy.file,
            "A YAML file of rules that replace default ones, in the language of oslo.policy."),
        // totp
        .flag(
            "totp", "sole_method", \.totp.soleMethod,
            "Whether a passcode alone opens a session. Off: it counts only beside another proof, as a password."),
        // log_in
        .integer(
            "log_in", "account_failures", \.logIn.accountFailures, 0...100_000,
            "Failed log-ins of one account after which it is answered 429 until the window ends. 0: any number."),
        .integer(
            "log_in", "address_failures", \.logIn.addressFailures, 0...100_000,
            "Failed log-ins from one address after which accounts that are new there are answered 429. 0: any number."),
        .seconds(
            "log_in", "window", \.logIn.window, 1...86_400,
            "How long failed log-ins count, from the first one on."),
        // credential
        .integer(
            "credential", "user_limit", \.credential.userLimit, 1...100_000,
            "How many credentials a user may have, EC2 keys among them."),
        // application_credential
        .integer(
            "application_credential", "user_limit", \.applicationCredential.userLimit, 1...100_000,
            "How many application credentials a user may have."),
        // security_compliance
        .optionalInteger(
            "security_compliance", "lockout_failure_attempts", \.compliance.lockoutFailureAttempts, 1...1000,
            "Failed logins after which an account is locked. Unset: never."),
        .seconds(
            "security_compliance", "lockout_duration", \.compliance.lockoutDuration, 1...31_536_000,
            "How long a locked account stays locked."),
        .optionalInteger(
            "security_compliance", "password_expires_days", \.compliance.passwordExpiresDays, 1...36_500, unit: "days",
            "How long a password is good. Unset: for ever."),
        .integer(
            "security_compliance", "unique_last_password_count", \.compliance.uniqueLastPasswordCount, 0...100,
            "How many of the last passwords a new one must differ from; 0 for none."),
        .integer(
            "security_compliance", "minimum_password_age", \.compliance.minimumPasswordAge, 0...3650, unit: "days",
            "How long users must keep a password before they may change it."),
        .optionalText(
            "security_compliance", "password_regex", \.compliance.passwordRegex, check: problemOfRegex,
            "A regular expression that a new password must match. Unset: any is good."),
        .optionalText(
            "security_compliance", "password_regex_description", \.compliance.passwordRegexDescription,
            "What users are told when their password does not match `password_regex`."),
        .optionalInteger(
            "security_compliance", "disable_user_account_days_inactive", \.compliance.disableUserAccountDaysInactive, 1...36_500,
            unit: "days", "How long an account may be unused before it is disabled. Unset: for ever."),
        .flag(
            "security_compliance", "change_password_upon_first_use", \.compliance.changePasswordUponFirstUse,
            "Whether users must change a password that an administrator gave them."),
        // unified_limit
        .choice(
            "unified_limit", "enforcement_model", \.limits.enforcementModel, ["flat", "strict_two_level"],
            "How limits of projects relate to those of their parents."),
        // images
        .list(
            "images", "stores", \.images.stores, check: ImageStoreSetting.problem,
            "The stores of image data, as `name` (a folder of that name below `images` in the state directory) or `name:/path`. The first is the default."),
        .integer(
            "images", "cache_size", \.images.cacheSize, 0...1_048_576, unit: "GiB",
            "How much image data is kept in `images/cache` of the state directory, for stores on slower or distant disks. 0: there is no cache."),
        // import_filtering_opts
        .list(
            "import_filtering_opts", "allowed_hosts", \.webDownload.allowedHosts, check: FetchRules.problem,
            "Hosts that images may be imported from: names, `.example.org` for all below a name, addresses, networks. Unset: every public host."),
        .list(
            "import_filtering_opts", "disallowed_hosts", \.webDownload.disallowedHosts, check: FetchRules.problem,
            "Hosts that images may not be imported from, also where `allowed_hosts` has them."),
        .list(
            "import_filtering_opts", "private_hosts", \.webDownload.privateHosts, check: FetchRules.problem,
            "Hosts that images may be imported from although their addresses are private or this host's own: a mirror within your network."),
        .list(
            "import_filtering_opts", "allowed_ports", \.webDownload.allowedPorts, check: problemOfPort,
            "Ports that images may be imported from."),
        // compute
        .integer(
            "compute", "shelved_offload_time", \.compute.shelvedOffloadTime, -1...0, unit: "seconds",
            "When a server that is shelved leaves its host. 0: at once. -1: when an administrator says so (`shelveOffload`)."),
        // simulate
        .flag(
            "simulate", "enabled", \.simulate.enabled,
            "Whether hosts are simulated: no root, no hypervisor."),
        .integer(
            "simulate", "hosts", \.simulate.hosts, 0...10_000,
            "How many simulated hosts there are."),
        .integer(
            "simulate", "pool_size", \.simulate.poolSize, 1...1_048_576, unit: "GiB",
            "The size of each pool of volumes of a simulated host."),
        .integer(
            "simulate", "pools", \.simulate.pools, 1...16,
            "How many pools of volumes each simulated host has."),
        // libvirt
        .choice(
            "libvirt", "virt_type", \.libvirt.virtType, ["auto", "kvm", "qemu", "none"],
            "How this machine runs guests: `kvm`, `qemu` (in software), `auto`: with KVM where a guest has shown that it works. `none`: not at all."),
        .optionalText(
            "libvirt", "connection_uri", \.libvirt.connectionURI,
            "A libvirt of this machine, as `qemu:///system`. Unset: libvirt within this process, which needs no daemon."),
        // volumes
        .optionalText(
            "volumes", "folder", \.volumes.folder,
            "The folder of this machine's pool of volumes. Unset: `host/volumes` in the state directory."),
        .list(
            "volumes", "pools", \.volumes.pools, check: HostSettings.problemOfPool,
            "Further pools of this machine, as `name:/path`, for other disks. The first pool is called `volumes`."),
        .integer(
            "volumes", "over_subscription", \.volumes.overSubscription, 100...100_000, unit: "percent",
            "How many bytes the pool's volumes may have together, of its size. Only thin volumes can go beyond 100."),
        .integer(
            "volumes", "soft_limit", \.volumes.softLimit, 1...100, unit: "percent",
            "How full the pool may be before new volumes go elsewhere, and a warning is logged."),
        .integer(
            "volumes", "hard_limit", \.volumes.hardLimit, 1...100, unit: "percent",
            "How full the pool may be before it refuses new volumes, snapshots and growth."),
        .optionalText(
            "volumes", "backup_folder", \.volumes.backupFolder,
            "The folder of the backups of volumes. Unset: `volume-backups` in the state directory."),
    ]

    static let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0) })
    static let sections: [String] = all.map(\.section).reduce(into: []) { if $0.last != $1 { $0.append($1) } }

    // MARK: Checks

    private static let problemOfURL: Check = { text in
        guard let rest = ["https://", "http://"].first(where: text.hasPrefix).map({ text.dropFirst($0.count) }) else {
            return "is '\(text)' and must begin with http:// or https://"
        }
        let isPlain = rest.utf8.allSatisfy { $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        if rest.isEmpty || rest.hasPrefix("/") || !isPlain { return "is '\(text)', which is no URL of a host" }
        return rest.hasSuffix("/") ? "is '\(text)' and must not end with a slash" : nil
    }

    private static let problemOfDatabase: Check = { text in
        // The text is not repeated in the message, because it may contain a password.
        text.hasPrefix("postgresql://") || text.hasPrefix("postgres://")
            ? nil : "must begin with postgresql://; leave it unset for SQLite"
    }

    private static let problemOfRegion: Check = { text in
        text.isEmpty || text.count > 255 ? "must have 1 to 255 characters" : nil
    }

    private static let problemOfPort: Check = { text in
        Int(text).map((1...65_535).contains) == true ? nil : "has '\(text)' and must have ports from 1 to 65535"
    }

    private static let problemOfRegex: Check = { text in
        (try? Regex(text)) == nil ? "is '\(text)', which is no regular expression" : nil
    }
}
