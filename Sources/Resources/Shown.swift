/// Rows as one caller may see them.
package struct Shown<R: Resource>: Sendable {
    package var rows: [R]
    /// The names of the fields that the caller must not see.
    package var hidden: Set<String>
    /// The most rows of a list's page; nil for a list without pages.
    package var limit: Int?
    /// Whether a list has as many rows as were asked for.
    package var isFull = false
    /// Whether rows follow a list's page.
    package var hasMore = false

    package init(rows: [R], hidden: Set<String> = []) {
        self.rows = rows
        self.hidden = hidden
    }
}
