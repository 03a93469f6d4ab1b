import CloudCore
import Images

extension FetchRules {
    /// - Throws: `CloudError` for an entry that the check of the options let pass.
    init(_ configuration: Configuration.WebDownload) throws {
        try self.init(
            allowed: configuration.allowedHosts, disallowed: configuration.disallowedHosts, private: configuration.privateHosts,
            ports: configuration.allowedPorts.compactMap(Int.init))
    }
}
