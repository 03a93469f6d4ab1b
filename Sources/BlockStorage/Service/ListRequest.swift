/// The list that a query asks for: its page, its order, and the rest, which are filters.
struct ListRequest: Sendable {
    /// The other names of the query, each with its first value.
    var filters: [(name: String, value: String)]
    /// The keys of the order, as the query names them.
    var sort: [(key: String, ascending: Bool)] = [(key: "created_at", ascending: false)]
    var page = ListPage()
    /// Whether the answer has the number of all rows of the list.
    var hasCount = false
}
