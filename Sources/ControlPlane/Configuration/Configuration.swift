package import CloudCore

/// Everything an operator can set, with values that work when nothing is set.
///
/// Sections and options have the words of Keystone's configuration where it has one for the same thing. `Option.all`
/// describes each of them once; what reads, checks, shows and documents options goes by that table.
package struct Configuration: Sendable, Equatable {
    package var server = Server()
    package var state = State()
    package var database = DatabaseSection()
    package var log = Log()
    package var cloud = CloudSection()
    package var token = Token()
    package var policy = Policy()
    package var totp = TOTP()
    package var credential = Credential()
    package var applicationCredential = ApplicationCredential()
    package var compliance = Compliance()
    package var limits = Limits()
    package var images = Images()
    package var webDownload = WebDownload()
    package var compute = Compute()
    package var simulate = Simulate()
    package var libvirt = Libvirt()

    package init() {}

    package struct Server: Sendable, Equatable {
        package var listen = "127.0.0.1:5000"
        /// Nil: links follow each request's `Host`, and the catalogue has the address that is listened on.
        package var publicURL: String?
        package var tlsCertificate: String?
        package var tlsKey: String?
        package var allowedOrigins: [String] = []
        package var maxHeaderSize = 32 << 10
        /// Nil: each service has its own.
        package var maxRequestBodySize: Int?
        package var maxConnections = 4096
        package var drainTimeout: Duration = .seconds(10)
    }

    package struct State: Sendable, Equatable {
        /// Nil: `StateDirectory.standardPath`.
        package var directory: String?
        package var keyFile: String?
    }

    package struct DatabaseSection: Sendable, Equatable {
        /// Nil: SQLite in the state directory.
        package var connection: Secret?
        package var maxPoolSize = 8
    }

    package struct Log: Sendable, Equatable {
        package var level = "info"
        package var access = true
        /// The path of the file; nil: nothing has spans.
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

    package struct Credential: Sendable, Equatable {
        package var userLimit = 200
    }

    package struct ApplicationCredential: Sendable, Equatable {
        package var userLimit = 200
    }

    /// Passwords and accounts, as PCI-DSS asks for.
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

    package struct Limits: Sendable, Equatable {
        package var enforcementModel = "flat"
    }

    package struct Images: Sendable, Equatable {
        /// `name`, or `name:path`. The first is the default.
        package var stores = ["file"]
        /// GiB; zero for none.
        package var cacheSize = 0
    }

    /// Where web-download may fetch from.
    package struct WebDownload: Sendable, Equatable {
        package var allowedHosts: [String] = []
        package var disallowedHosts: [String] = []
        package var privateHosts: [String] = []
        package var allowedPorts = ["80", "443"]
    }

    package struct Compute: Sendable, Equatable {
        /// Seconds: 0 at once, -1 never.
        package var shelvedOffloadTime = 0
    }

    /// This machine as a host of real ones, unless hosts are simulated.
    package struct Libvirt: Sendable, Equatable {
        /// `auto`, `kvm`, `qemu`; `none`: no machines here.
        package var virtType = "auto"
        /// Nil: libvirt within this process.
        package var connectionURI: String?
    }

    package struct Simulate: Sendable, Equatable {
        package var enabled = false
        package var hosts = 3
    }
}
