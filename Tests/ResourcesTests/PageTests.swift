import CloudCore
import HTTPKit
import Resources
import SQL
import TestSupport
import Testing

/// Tests of sort orders and pages, on both databases.
@Suite struct PageTests {
    /// 250 widgets with repeated names, in upper and lower case and with multibyte letters, and with repeated sizes,
    /// flags and notes.
    private static let widgets: [Widget] = {
        var random = SplitMix64(seed: 5)
        let names = ["a", "A", "b", "Zz", "é", "日", "a b", "a_b", "~", "0"]
        return (0..<250).map { number in
            Widget(
                "id-\(String(UInt32.random(in: 0 ... .max, using: &random), radix: 36))-\(number)",
                names.randomElement(using: &random) ?? "", size: Int.random(in: 0...20, using: &random),
                enabled: Bool.random(using: &random), note: Bool.random(using: &random) ? nil : names.randomElement(using: &random))
        }
    }()

    enum Order: String, CaseIterable {
        case id, name, size, enabled, note, madeAt = "made_at"

        /// Returns the sort key in bytes, which is how both databases compare.
        func key(_ widget: Widget) -> [UInt8] {
            switch self {
            case .id: Array(widget.id.text.utf8)
            case .name: Array(widget.name.utf8)
            case .size: [UInt8(widget.size)]
            case .enabled: [widget.isEnabled ? 1 : 0]
            case .note: Array((widget.note ?? "").utf8)
            case .madeAt: []
            }
        }

        func sorted(_ widgets: [Widget], ascending: Bool) -> [String] {
            widgets.sorted { left, right in
                let (first, second) = (key(left), key(right))
                if first != second { return first.lexicographicallyPrecedes(second) == ascending }
                return Array(left.id.text.utf8).lexicographicallyPrecedes(Array(right.id.text.utf8))
            }.map(\.id.text)
        }
    }

    @Test("Pages of 7 return every row exactly once, in each order", arguments: DatabaseKind.allCases, Order.allCases)
    func pages(kind: DatabaseKind, order: Order) async throws {
        try await withWidgets(kind, Self.widgets) { database in
            for ascending in [true, false] {
                let sort = "sort_key=\(order.rawValue)&sort_dir=\(ascending ? "asc" : "desc")"
                let expected = order.sorted(Self.widgets, ascending: ascending)
                #expect(try await database.ids(sort) == expected)
                var seen: [String] = []
                var isMore = true
                while isMore {
                    let page = try await database.page(sort + "&limit=7" + (seen.last.map { "&marker=\($0)" } ?? ""))
                    #expect(page.rows.count == min(7, 250 - seen.count))
                    seen += page.rows.map(\.id.text)
                    isMore = page.hasMore
                }
                #expect(seen == expected)
            }
        }
    }

    @Test("Rows that are added or deleted between pages make no other row appear twice or not at all", arguments: DatabaseKind.allCases, Order.allCases)
    func changing(kind: DatabaseKind, order: Order) async throws {
        try await withWidgets(kind, Self.widgets) { database in
            var random = SplitMix64(seed: 9)
            var seen: [String] = []
            var deleted: Set<String> = []
            var isMore = true
            while isMore {
                let page = try await database.page(
                    "sort_key=\(order.rawValue)&sort_dir=desc&limit=7" + (seen.last.map { "&marker=\($0)" } ?? ""))
                seen += page.rows.map(\.id.text)
                isMore = page.hasMore
                // An old row other than the marker is deleted, whether it was seen or not, and a row is made anywhere
                // in the order.
                let doomed = Self.widgets.map(\.id.text).filter { $0 != seen.last && !deleted.contains($0) }.randomElement(using: &random) ?? ""
                let made = Widget(
                    "new-\(seen.count)", ["A", "b", "é", "~"].randomElement(using: &random) ?? "", size: Int.random(in: 0...20, using: &random),
                    enabled: Bool.random(using: &random))
                try await database.write { tx in
                    try ResourceStore<Widget>().delete(ID(doomed), in: tx)
                    try ResourceStore<Widget>().insert(made, in: tx)
                }
                if !seen.contains(doomed) { deleted.insert(doomed) }
            }
            #expect(Set(seen).count == seen.count, "none twice")
            let old = order.sorted(Self.widgets, ascending: false).filter { !deleted.contains($0) }
            #expect(seen.filter { !$0.hasPrefix("new") } == old, "each that stayed once, in order")
        }
    }

    @Test("An unknown marker, an invalid limit and an invalid order are refused", arguments: DatabaseKind.allCases)
    func refusals(kind: DatabaseKind) async throws {
        try await withWidgets(kind, Array(Self.widgets.prefix(20))) { database in
            for query in [
                "marker=nothing", "marker=", "marker='", "limit=-1", "limit=x", "limit=", "limit=1.5", "limit=99999999999999999999",
                "sort_key=nothing", "sort_key=label", "sort_key=password", "sort_key=name&sort_dir=up", "sort_key=name;drop",
            ] {
                let error = await #expect(throws: CloudError.self, "\(query)") { _ = try await database.page(query) }
                #expect(error?.kind == .badRequest, "\(query)")
            }
        }
    }

    @Test("A page tells whether more rows follow, and has at most 1000 rows", arguments: DatabaseKind.allCases)
    func limits(kind: DatabaseKind) async throws {
        let many = (0..<1005).map { Widget("\(10000 + $0)", "n", size: $0 % 3) }
        try await withWidgets(kind, many) { database in
            for (query, count, hasMore) in [
                ("limit=1000", 1000, true), ("limit=5000", 1000, true), ("limit=0", 1005, false), ("", 1005, false), ("size=1&limit=335", 335, false),
                ("size=1&limit=334", 334, true), ("limit=5&marker=11000", 4, false), ("limit=4&marker=11000", 4, false), ("marker=11004&limit=1", 0, false),
            ] {
                let page = try await database.page(query)
                #expect(page.rows.count == count, "\(query)")
                #expect(page.hasMore == hasMore, "\(query)")
            }
            // A marker that the filter excludes is still a valid position.
            #expect(try await database.ids("size=1&limit=2&marker=10002") == ["10004", "10007"])
        }
    }
}
