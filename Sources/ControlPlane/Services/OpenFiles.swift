import Foundation

/// The number of files that this process may have open. Each connection is one of them. A usual limit of 1024 is less
/// than the server's connections, and the guests of four networks could use it up at the metadata service.
enum OpenFiles {
    private static let wanted: rlim_t = 65_536

    /// Raises the limit as far as the system allows. A limit that is higher stays.
    static func raise() {
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(files, &limit) == 0, limit.rlim_cur < wanted else { return }
        limit.rlim_cur = min(wanted, limit.rlim_max)
        setrlimit(files, &limit)
    }
}
