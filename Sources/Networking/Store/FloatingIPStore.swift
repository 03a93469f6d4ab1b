import CloudCore
import SQL

/// Queries about floating IPs for other services.
enum FloatingIPStore {
    /// Tells whether another floating IP of an external network leads to an address of a port.
    static func isTaken(_ address: IPAddress, of port: ID<Port.Noun>, exceptBy floating: FloatingIP, in tx: Transaction) throws -> Bool {
        try tx.row(
            "SELECT 1 FROM networking_floating_ip WHERE network_id = ? AND port_id = ? AND fixed_address = ? AND id <> ?",
            floating.networkID, port, address, floating.id) != nil
    }

    /// Disconnects every floating IP from a port.
    ///
    /// - Returns: the routers through which they led.
    static func detach(port: ID<Port.Noun>, in tx: Transaction) throws -> [ID<Router.Noun>] {
        let routers = try tx.rows("SELECT router_id FROM networking_floating_ip WHERE port_id = ?", port)
            .map { try $0.value(at: 0) as ID<Router.Noun>? }
        guard !routers.isEmpty else { return [] }
        try tx.execute(
            "UPDATE networking_floating_ip SET port_id = NULL, fixed_address = NULL, router_id = NULL, status = 'DOWN' WHERE port_id = ?", port)
        return routers.compactMap { $0 }
    }
}
