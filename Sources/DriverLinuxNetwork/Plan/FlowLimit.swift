/// The limit of the connections of each guest. All guests share the host's table of connections: without a limit, one
/// guest could fill it, and nobody else could begin a connection.
///
/// The limit has a table of its own, which stays when the rules of guests change: a new table would count from zero.
struct FlowLimit: Sendable {
    let names: Names
    /// The most connections that a port has begun.
    let most: Int

    /// The most connections that others have begun with a port, in multiples of `most`. One guest alone cannot close
    /// another one to everybody else.
    private static let received = 4
    /// The most connections in one list. The connections of a port are divided at random among lists, because the
    /// kernel goes through a whole list for a new connection: one long list would cost more than the connection itself.
    private static let longest = 512

    static let families = ["inet"]
    var table: String { names.table + "_flows" }

    /// The whole table as one transaction. A connection is counted once, at its first packet, after the rules of the
    /// groups have let it pass. A connection that has ended is not counted any more.
    var text: String {
        var text = "add table inet \(table)\ndelete table inet \(table)\ntable inet \(table) {\n"
        let begun = ("begun", most, "prerouting priority -139")
        let received = ("received", most * Self.received, "forward priority 1")
        for (way, limit, hook) in [begun, received] {
            let count = max(16, limit / Self.longest)
            for lane in 0..<count {
                text += """
                      set \(way)_\(lane) { type mark; size 65536; flags dynamic; }
                      chain count_\(way)_\(lane) {
                        add @\(way)_\(lane) { meta mark ct count over \(max(1, limit / count)) } drop
                      }

                    """
            }
            let lanes = (0..<count).map { "\($0) : goto count_\(way)_\($0)" }.joined(separator: ", ")
            text += """
                  chain \(way) {
                    type filter hook \(hook); policy accept;
                    meta mark & 0xff000000 != \(FilterCompiler.marks) accept
                    ct state new ct status & confirmed == 0 numgen random mod \(count) vmap { \(lanes) }
                  }

                """
        }
        return text + "}\n"
    }
}
