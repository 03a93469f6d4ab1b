import HostModel
import SQL
import Testing

@testable import Networking

extension NetworkingAssembly {
    /// Returns the state of a host, computed from the rows.
    func state(of name: String, among hosts: [NetworkHost], in tx: Transaction) throws -> HostNetworkState {
        let host = try #require(hosts.first { $0.name == name })
        return try view(of: host, addresses: { name in hosts.first { $0.name == name }?.address }, in: tx).state
    }
}
