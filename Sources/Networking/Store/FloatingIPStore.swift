import CloudCore
import SQL

/// What others ask of floating IPs' rows.
enum FloatingIPStore {
    /// Nothing leads to a port that goes, or loses the way.
    static func detach(port: ID<Port.Noun>, in tx: Transaction) throws {
        try tx.execute(
            "UPDATE networking_floating_ip SET port_id = NULL, fixed_address = NULL, router_id = NULL, status = 'DOWN' WHERE port_id = ?", port)
    }
}
