import CloudCore
import Durable
import HostModel
import SQL

/// A list of servers. The database checks the conditions on columns; the others are tested on the servers that it
/// returns, page by page, until the list's page is full.
struct ServerLister {
    let service: ServerService
    let query: ServerQuery

    /// The numbers of servers that are read at a time while conditions are tested. Few of them may be in the list.
    private static let (leastAtOnce, mostAtOnce) = (100, 500)

    func views(_ page: Page, in tx: Transaction) throws -> [ServerView] {
        let marker = try marker(page, in: tx)
        guard page.limit > 0 else { return [] }
        guard let pages = try pages(in: tx) else { return try sorted(after: marker, limit: page.limit, in: tx) }
        return try collected(pages, after: marker.map(pages.place), limit: page.limit, in: tx)
    }

    func briefs(_ page: Page, in tx: Transaction) throws -> [ServerBrief] {
        guard query.isOfColumns else {
            return try views(page, in: tx).map {
                ServerBrief(id: $0.stored.id, name: try $0.stored.shown.text(.name) ?? "")
            }
        }
        let marker = try marker(page, in: tx)
        guard page.limit > 0, let pages = try pages(in: tx) else { return [] }
        let selection: ServerPages.Selection = query.statuses == nil ? .brief : .briefWithState
        return try collected(pages, selection, after: marker.map(pages.place), limit: page.limit, in: tx) { rows in
            try rows.map { try $0.brief() }
        }
    }

    /// Returns the last server of the previous page, even if it was deleted in the meantime, so that the next page can
    /// still be found.
    ///
    /// - Throws: `CloudError.badRequest` if no server of the project ever had this id.
    private func marker(_ page: Page, in tx: Transaction) throws -> Server? {
        try page.marker.map { text in
            let own = { (server: Server) in query.filter.projectID.map { $0 == server.projectID } != false }
            let found = [
                try service.servers.find(ID(text), in: tx), try service.servers.findArchived(ID(text), in: tx),
            ]
            guard let marker = found.compactMap(\.self).first(where: own) else {
                throw page.lost(text)
            }
            return marker
        }
    }

    /// Returns the servers that the database finds; nil if it cannot order them.
    private func pages(in tx: Transaction) throws -> ServerPages? {
        guard let order = query.columns else { return nil }
        return try ServerPages(try narrowed(in: tx), in: query.tables, by: order, tx: tx)
    }

    private func collected(_ pages: ServerPages, after place: [SQLValue]?, limit: Int, in tx: Transaction) throws
        -> [ServerView]
    {
        guard query.viewTests.isEmpty else {
            return try collected(pages, .details, after: place, limit: limit, in: tx) { rows in
                try service.views(try tested(rows), in: tx).filter { view in query.viewTests.allSatisfy { $0(view) } }
            }
        }
        return try service.views(
            try collected(pages, .details, after: place, limit: limit, in: tx, tested), in: tx)
    }

    /// Reads pages until enough servers pass. Those without a wanted status are dropped before `pass` sees the rest.
    private func collected<Value>(
        _ pages: ServerPages, _ selection: ServerPages.Selection, after place: [SQLValue]?, limit: Int,
        in tx: Transaction, _ pass: ([ServerPages.Found]) throws -> [Value]
    ) throws -> [Value] {
        let isTested = !query.tests.isEmpty || !query.viewTests.isEmpty || query.statuses != nil
        let size = isTested ? min(max(limit, Self.leastAtOnce), Self.mostAtOnce) : limit
        var (found, place) = ([Value](), place)
        while found.count < limit {
            let rows = try pages.next(selection, after: place, limit: size, in: tx)
            found += try pass(try ofStatus(rows, in: tx))
            guard rows.count == size, let last = rows.last else { break }
            place = last.place
        }
        return Array(found.prefix(limit))
    }

    /// Returns the servers that show a wanted status. The states of the rows are narrowed already; what is left to look
    /// at are the unfinished workflows.
    private func ofStatus(_ rows: [ServerPages.Found], in tx: Transaction) throws -> [ServerPages.Found] {
        guard let statuses = query.statuses else { return rows }
        let states = try rows.map { try $0.state() }
        let lines = try service.lines(of: states.map(\.id), in: tx)
        return zip(rows, states).filter { _, one in
            statuses.contains(ServerService.status(one.state, lines[one.id.text]))
        }.map(\.0)
    }

    /// Returns the servers that pass all tests of their rows. They are decoded only if there is a test.
    private func tested(_ rows: [ServerPages.Found]) throws -> [StoredServer] {
        let servers = try rows.map { try $0.stored() }
        return try query.tests.isEmpty
            ? servers
            : servers.filter { one in
                let server = try one.server()
                return query.tests.allSatisfy { $0(server) }
            }
    }

    /// Returns a page in the order of a value that has no column. All servers of the list are read for it.
    private func sorted(after marker: Server?, limit: Int, in tx: Transaction) throws -> [ServerView] {
        let pages = try ServerPages(
            try narrowed(in: tx), in: query.tables, by: [(.createdAt, false), (.id, false)], tx: tx)
        let found =
            try query.viewTests.isEmpty
            ? collected(pages, .details, after: nil, limit: .max, in: tx, tested)
            : collected(pages, after: nil, limit: .max, in: tx).map(\.stored)
        let byID = Dictionary(found.map { ($0.id, $0) }) { first, _ in first }
        let page = query.page(of: try found.map { try $0.server() }, after: marker, limit: limit)
        return try service.views(page.compactMap { byID[$0.id] }, in: tx)
    }

    // MARK: Narrowing by others' rows

    /// Returns the filter, with the ids of the servers if a condition on addresses or on tasks leaves only few.
    private func narrowed(in tx: Transaction) throws -> ServerFilter {
        var filter = query.filter
        for range in query.addresses where filter.ids == nil {
            filter.ids = try service.context.needs.networking.servers(
                withAddress: range, most: ServerPages.most, in: tx)?.map(\.text)
        }
        if query.needsTask, filter.ids == nil {
            filter.ids = try service.workflows.busyResources(of: Server.resourceKind, most: ServerPages.most, in: tx)
        }
        return filter
    }
}
