import CloudCore
import SQL

/// The rows that a server with one port has in the database after its creation, as a pattern.
struct ServerRows: Sendable {
    /// The values that belong to one server.
    struct Values: Sendable {
        var server: String
        var port: String
        var workflow: String
        var number: Int64
        var name: String
        var network: CloudFixtures.Network
        var address: IPAddress
        var mac: String
        var host: String
        var provider: String
        /// The time in microseconds.
        var createdAt: Int64
        var reservation: String
        var request: String

        var keys: [RowPattern.Key] {
            let texts = [
                server, port, workflow, name, network.id, network.subnet, network.group, address.description,
                address.key,
                (address + 1).key, mac, host, provider, reservation, request,
            ]
            return texts.map { .text($0) } + [.number(number), .time(createdAt)]
        }
    }

    let values: Values
    let pattern: RowPattern

    /// Reads the rows of a server.
    ///
    /// - Parameter network: the network of its port.
    init(_ server: String, _ network: CloudFixtures.Network, in tx: Transaction) throws {
        func one(_ sql: String, _ argument: String) throws -> Row {
            guard let row = try tx.row(sql, argument) else { throw BenchError("a server without a row: \(sql)") }
            return row
        }
        let row = try one("SELECT number, name, host, created_at, details FROM compute_server WHERE id = ?", server)
        let port = try one("SELECT id, mac_address FROM networking_port WHERE device_id = ?", server)
        let workflow = try one("SELECT id, request_id FROM workflow WHERE resource = ?", "compute.server/\(server)")
        let address = try one("SELECT address FROM networking_ip_allocation WHERE port_id = ?", try port.value(at: 0))
        let host: String = try row.value(at: 2)
        let provider = try one("SELECT id FROM placement_provider WHERE name = ?", host)
        let details = try JSON.parse(try row.value(at: 4) as String)
        values = Values(
            server: server, port: try port.value(at: 0), workflow: try workflow.value(at: 0),
            number: try row.value(at: 0),
            name: try row.value(at: 1), network: network,
            address: IPAddress(try address.value(at: 0) as String) ?? network.first, mac: try port.value(at: 1),
            host: host,
            provider: try provider.value(at: 0), createdAt: try row.value(at: 3),
            reservation: details["reservationID"]?.string ?? "", request: try workflow.value(at: 1))
        pattern = try RowPattern(
            [
                .init("compute_server", "id", server), .init("placement_consumer", "id", server),
                .init("placement_allocation", "consumer_id", server), .init("networking_port", "id", values.port),
                .init("networking_ip_allocation", "port_id", values.port),
                .init("networking_port_security_group", "port_id", values.port),
                .init("networking_server_port", "port_id", values.port), .init("workflow", "id", values.workflow),
                .init("workflow_event", "workflow_id", values.workflow),
            ], keys: values.keys, in: tx)
    }
}
