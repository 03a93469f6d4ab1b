import CloudCore
import SQL

/// A noun with a table of its own.
protocol RowNoun: Sendable {
    associatedtype Key: SQLConvertible & CustomStringConvertible
    var id: Key { get }
    /// The noun in messages.
    static var word: String { get }
    /// Returns the error for something that is not there, or that the caller does not see.
    static func missing(_ id: some CustomStringConvertible) -> CloudError
}

extension RowNoun {
    static func missing(_ id: some CustomStringConvertible) -> CloudError {
        .notFound("\(word) \(id) could not be found.")
    }
}

/// The rows of a noun.
protocol RowStore: Sendable {
    associatedtype Noun: RowNoun
    static var map: RowMap<Noun> { get }
    /// The columns that must still have their old values when a row is changed.
    static var guards: [String] { get }
    /// Reads a row with the columns of the map, in their order.
    static func noun(_ row: Row) throws -> Noun
}

extension RowStore {
    static var guards: [String] { [] }
    /// The beginning of a query for rows.
    static var selection: String { "SELECT \(map.columns) FROM \(map.table)" }

    func find(_ id: Noun.Key, in tx: Transaction) throws -> Noun? {
        try tx.row("\(Self.selection) WHERE id = ?", id).map(Self.noun)
    }

    /// Returns some things by their ids. The result has nothing for an id without a row.
    func find(_ ids: some Collection<Noun.Key>, in tx: Transaction) throws -> [Noun] {
        try tx.pieces(of: ids.map(\.sql)).flatMap { list, arguments in
            try tx.rows("\(Self.selection) WHERE id \(list)", arguments: arguments).map(Self.noun)
        }
    }

    /// - Throws: `notFound` if there is no row.
    func require(_ id: Noun.Key, in tx: Transaction) throws -> Noun {
        guard let noun = try find(id, in: tx) else { throw Noun.missing(id) }
        return noun
    }

    /// Returns the rows of a page.
    ///
    /// - Throws: `notFound` for a marker without a row.
    func rows(_ conditions: Conditions, of page: RowPage, in tx: Transaction) throws -> [Noun] {
        try page.rows(Self.map.columns, from: Self.map.table, where: conditions, lost: { Noun.missing($0) }, in: tx)
            .map(Self.noun)
    }

    func page(_ filter: ProjectFilter, _ page: RowPage, in tx: Transaction) throws -> [Noun] {
        try rows(filter.conditions, of: page, in: tx)
    }

    func insert(_ noun: Noun, in tx: Transaction) throws { try Self.map.insert(noun, in: tx) }

    /// Writes what differs between two forms of a row.
    ///
    /// - Throws: `conflict` if a guard has another value than the old form says, or the row is gone; `notFound` if it
    ///   is gone and nothing guards it.
    func update(_ old: Noun, to new: Noun, in tx: Transaction) throws { try write(old, to: new, in: tx) }

    /// Writes the columns that differ. A store with further tables calls it in an `update` of its own.
    func write(_ old: Noun, to new: Noun, in tx: Transaction) throws {
        if try Self.map.update(old, to: new, guards: Self.guards, in: tx) { return }
        guard !Self.guards.isEmpty else { throw Noun.missing(old.id) }
        throw CloudError.conflict("\(Noun.word) \(old.id) was changed by another request.")
    }

    func delete(_ id: Noun.Key, in tx: Transaction) throws {
        try tx.execute("DELETE FROM \(Self.map.table) WHERE id = ?", id)
    }
}
