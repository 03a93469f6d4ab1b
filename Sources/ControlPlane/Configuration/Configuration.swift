package import CloudCore

/// All options that an operator can set, with defaults that work.
///
/// Sections and options have the names of Keystone's configuration where it has the same option. `Option.all` describes
/// each option once; the code that reads, checks, shows and documents options uses that table.
package struct Configuration: Sendable, Equatable {
    package var server = Server()
    package var state = State()
    package var database = DatabaseSection()
    package var log = Log()
    package var cloud = CloudSection()
    package var token = Token()
    package var policy = Policy()
    package var totp = TOTP()
    package var logIn = LogIn()
    package var credential = Credential()
    package var applicationCredential = ApplicationCredential()
    package var compliance = Compliance()
    package var limits = UnifiedLimit()
    package var images = Images()
    package var webDownload = WebDownload()
    package var compute = Compute()
    package var simulate = Simulate()
    package var libvirt = Libvirt()
    package var volumes = Volumes()

    package init() {}

    package struct Server: Sendable, Equatable {
        package var listen = "127.0.0.1:5000"
        /// The public URL of the cloud. If it is nil, links follow each request's `Host`, and the catalog has the
        /// listen address.
        package var publicURL: String?
        package var tlsCertificate: String?
        package var tlsKey: String?
        package var allowedOrigins: [String] = []
        package var maxHeaderSize = 32 << 10
        /// The most bytes of a request's body; nil for the limit of each service.
        package var maxRequestBodySize: Int?
        package var maxConnections = 4096
        package var drainTimeout: Duration = .seconds(10)
        package var requestTimeout: Duration = .seconds(90)
    }

    package struct State: Sendable, Equatable {
        /// The state directory; nil for `StateDirectory.standardPath`.
        package var directory: String?
        package var keyFile: String?
    }

    package struct DatabaseSection: Sendable, Equatable {
        /// The connection string of a PostgreSQL database; nil for SQLite in the state directory.
        package var connection: Secret?
        package var maxPoolSize = 8
    }

    package struct Log: Sendable, Equatable {
        package var level = "info"
        package var access = true
        /// The path of the file for spans; nil for no spans.
        package var spans: String?
    }

    package struct CloudSection: Sendable, Equatable {
        package var regionName = "RegionOne"
    }

    package struct Token: Sendable, Equatable {
        package var expiration: Duration = .seconds(3600)
        package var keyRotationInterval: Duration = .seconds(86_400)
    }

    package struct Policy: Sendable, Equatable {
        package var file: String?
    }

    package struct TOTP: Sendable, Equatable {
        package var soleMethod = false
    }

    /// The limits of log-ins that fail.
    package struct LogIn: Sendable, Equatable {
        package var accountFailures = Limits.logIn.accountFailures.most
        package var addressFailures = Limits.logIn.addressFailures.most
        package var window: Duration = .seconds(Limits.logIn.window.most)
    }

    package struct Credential: Sendable, Equatable {
        package var userLimit = Limits.owner.credentials.most
    }

    package struct ApplicationCredential: Sendable, Equatable {
        package var userLimit = Limits.owner.applicationCredentials.most
    }

    /// The rules for passwords and accounts that PCI-DSS requires.
    package struct Compliance: Sendable, Equatable {
        package var lockoutFailureAttempts: Int?
        package var lockoutDuration: Duration = .seconds(1800)
        package var passwordExpiresDays: Int?
        package var uniqueLastPasswordCount = 0
        package var minimumPasswordAge = 0
        package var passwordRegex: String?
        package var passwordRegexDescription: String?
        package var disableUserAccountDaysInactive: Int?
        package var changePasswordUponFirstUse = false
    }

    package struct UnifiedLimit: Sendable, Equatable {
        package var enforcementModel = "flat"
    }

    package struct Images: Sendable, Equatable {
        /// The image stores, each as `name` or `name:path`. The first is the default.
        package var stores = ["file"]
        /// The size of the image cache in GiB; zero for no cache.
        package var cacheSize = 0
    }

    /// The servers from which web-download may fetch.
    package struct WebDownload: Sendable, Equatable {
        package var allowedHosts: [String] = []
        package var disallowedHosts: [String] = []
        package var privateHosts: [String] = []
        package var allowedPorts = ["80", "443"]
    }

    package struct Compute: Sendable, Equatable {
        /// The seconds until a shelved server leaves its host: 0 for at once, -1 for never.
        package var shelvedOffloadTime = 0
    }

    /// This machine as a host of real machines. It is not used while hosts are simulated.
    package struct Libvirt: Sendable, Equatable {
        /// `auto`, `kvm` or `qemu`; `none` if this machine runs no guests.
        package var virtType = "auto"
        /// The URI of a libvirt daemon; nil for libvirt within this process.
        package var connectionURI: String?
    }

    package struct Simulate: Sendable, Equatable {
        package var enabled = false
        package var hosts = 3
        /// The size of each pool of volumes, in GiB.
        package var poolSize = 10_240
        /// The number of each host's pools.
        package var pools = 1
    }

    /// The pools of volumes of this machine. They are not used while hosts are simulated.
    package struct Volumes: Sendable, Equatable {
        /// The folder of the first pool; nil for the folder `volumes` of the host's state.
        package var folder: String?
        /// The other pools, each as `name:/path`.
        package var pools: [String] = []
        /// The most bytes that volumes may have together, in percent of the pool.
        package var overSubscription = 2000
        /// The percentage of used space from which schedulers leave the pool alone.
        package var softLimit = 80
        /// The percentage of used space from which the pool refuses new volumes.
        package var hardLimit = 90
        /// The folder of the backups of volumes; nil for `volume-backups` in the state directory.
        package var backupFolder: String?
    }
}
