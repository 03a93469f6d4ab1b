import CloudCore
import Images

extension FetchRules {
    /// Creates the rules that the configuration sets.
    ///
    /// - Throws: `CloudError` for an invalid entry that the check of the options did not find.
    init(_ configuration: Configuration.WebDownload) throws {
        try self.init(
            allowed: configuration.allowedHosts, disallowed: configuration.disallowedHosts, private: configuration.privateHosts,
            ports: configuration.allowedPorts.compactMap(Int.init))
    }
}
