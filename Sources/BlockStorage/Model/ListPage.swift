import CloudCore

/// The page of a list that a query asks for.
struct ListPage: Sendable {
    /// The most elements of a page.
    static let most = Limits.list.page.most
    var limit = Self.most
    var marker: String?
    var offset = 0
}
