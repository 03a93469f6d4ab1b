import CloudCore
import SQL

extension RowPage {
    /// Makes the page of a list in the order that its user asks for, with the time and the id behind it.
    ///
    /// - Throws: `CloudError.badRequest` for a key that the list cannot be sorted by.
    init(_ page: ListPage, by sort: [(key: String, ascending: Bool)], _ columns: [String: ListColumn]) throws {
        var order: Order = try sort.map { key, ascending in
            guard let column = columns[key] else {
                throw VolumeRefusal.input("Invalid sort key")
            }
            return (column: column.sortable, ascending: ascending)
        }
        let ascending = sort.first?.ascending ?? false
        order += [(column: "created_at", ascending: ascending), (column: "id", ascending: ascending)]
        self.init(order: order, marker: page.marker, offset: page.offset, limit: page.limit)
    }
}
