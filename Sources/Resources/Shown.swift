/// Rows as one caller may see them.
package struct Shown<R: Resource>: Sendable {
    package var rows: [R]
    /// The names of the fields that the caller must not see.
    package var hidden: Set<String>
    /// The most rows of the page; nil for a list without pages.
    package var limit: Int?
    /// Whether the page has as many rows as its limit.
    package var isFull = false
    /// Whether more rows follow the page.
    package var hasMore = false

    package init(rows: [R], hidden: Set<String> = []) {
        self.rows = rows
        self.hidden = hidden
    }
}
