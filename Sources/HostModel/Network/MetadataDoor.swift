package import CloudCore

/// Where guests ask for metadata, as every cloud has it.
package enum MetadataEndpoint {
    package static let address = IPAddress(.v4, 0xa9fe_a9fe)
    package static let port: UInt16 = 80
}

/// A place of a host at which guests of one network, and nobody else's, reach the metadata service.
package enum MetadataDoor: Hashable, Sendable, Codable {
    /// At the network's own port of the cloud, by a route that DHCP gives.
    case service(network: String)
    /// At a router's port in the network, for guests that know their gateway alone.
    case router(String, port: String, network: String)

    package var network: String {
        switch self {
        case .service(let network), .router(_, _, let network): network
        }
    }
}

extension HostNetworkState {
    /// All that the state has.
    package var metadataDoors: Set<MetadataDoor> {
        let services = networks.filter { $0.service?.hasMetadata == true }.map { MetadataDoor.service(network: $0.id) }
        let routers = routers.filter { $0.isUp && $0.hasMetadata }
            .flatMap { router in router.interfaces.map { MetadataDoor.router(router.id, port: $0.id, network: $0.network) } }
        return Set(services + routers)
    }
}
