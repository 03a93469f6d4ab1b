package import CloudCore

/// The address at which guests reach the metadata service, as in every cloud.
package enum MetadataEndpoint {
    package static let address = IPAddress(.v4, 0xa9fe_a9fe)
    package static let port: UInt16 = 80
}

/// A place on a host at which only the guests of one network reach the metadata service.
package enum MetadataDoor: Hashable, Sendable, Codable {
    /// At the cloud's own port in the network, by a route that DHCP gives.
    case service(network: String)
    /// At a router's port in the network, for guests that know only their gateway.
    case router(String, port: String, network: String)

    package var network: String {
        switch self {
        case .service(let network), .router(_, _, let network): network
        }
    }
}

extension HostNetworkState {
    /// All doors of the state.
    package var metadataDoors: Set<MetadataDoor> {
        let services = networks.filter { $0.service?.hasMetadata == true }.map { MetadataDoor.service(network: $0.id) }
        let routers = routers.filter { $0.isUp && $0.hasMetadata }
            .flatMap { router in router.interfaces.map { MetadataDoor.router(router.id, port: $0.id, network: $0.network) } }
        return Set(services + routers)
    }
}
