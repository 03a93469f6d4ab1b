import CloudCore
import HTTPKit
import Resources
import SQL
import TestSupport
import Testing

/// Tests of the rows that a list's URL selects, on both databases.
@Suite struct FilterTests {
    private static let widgets: [Widget] = [
        Widget("a", "Alpha", note: "50% of it"), Widget("b", "alpha beta", size: 2, note: "under_score"),
        Widget("c", "it's \"quoted\"", size: 3, enabled: false, note: ""), Widget("d", "École", size: 4, note: #"back\slash"#),
        Widget("e", "日本語", size: 5), Widget("f", "e\u{301}cole", size: 6, note: "👩‍👩‍👧 x"), Widget("g", "*?[a]", size: 7, note: "';--"),
    ]

    private static let expectations: [(query: String, ids: String)] = [
        ("name=Alpha", "a"), ("name=alpha", ""), ("name=it's%20%22quoted%22", "c"), ("name=%E6%97%A5%E6%9C%AC%E8%AA%9E", "e"),
        ("name__contains=lpha", "ab"), ("name__contains=ALPHA", ""), ("name__contains=%E6%9C%AC", "e"), ("name__contains='", "c"),
        ("name__contains=%22", "c"), ("name__contains=*?[", "g"), ("name__contains=", "abcdefg"),
        ("name__icontains=ALPHA", "ab"), ("name__icontains=%C3%89COLE", "d"), ("name__icontains=QUOTED", "c"),
        ("name__startswith=alpha", "b"), ("name__startswith=%E6%97%A5", "e"), ("name__startswith=", "abcdefg"),
        ("name__startswith=alpha%20beta%20and%20more", ""), ("name__istartswith=ALPHA", "ab"), ("name__istartswith=%C3%89c", "d"),
        ("name__endswith=beta", "b"), ("name__endswith=alpha", ""), ("name__endswith=%E8%AA%9E", "e"), ("name__endswith=Alpha", "a"),
        ("name__endswith=xAlpha", ""), ("name__endswith=xxAlpha", ""), ("name__endswith=", "abcdefg"), ("name__iendswith=BETA", "b"),
        ("name__iendswith=xxxxxxALPHA", ""), ("name__iequals=ALPHA", "a"), ("name__iequals=%C3%89cole", "d"), ("name__iequals=lph", ""),
        ("note__contains=%25", "a"), ("note__contains=_", "b"), ("note__contains=%5C", "d"), ("note__startswith=%25", ""),
        ("note__contains=", "abcdfg"), ("note=", "c"), ("note__contains=%F0%9F%91%A9", "f"), ("note__startswith=';--", "g"),
        ("enabled=false", "c"), ("enabled=0", "c"), ("enabled=No", "c"), ("enabled=true", "abdefg"), ("enabled", "abdefg"),
        ("size=3", "c"), ("size=03", "c"), ("size=x", ""), ("size=", ""), ("size=99999999999999999999", ""), ("size=3.0", ""),
        ("made_at=yesterday", ""), ("owner=nobody&size=2", "b"), ("owner=other", ""), ("name=Alpha&name=alpha", ""),
        ("unknown=1", "abcdefg"), ("options=x", "abcdefg"), ("label=x", "abcdefg"), ("password=x", "abcdefg"),
        ("size__contains=3", "abcdefg"), ("owner__contains=x", "abcdefg"), ("name__nothing=x", "abcdefg"), ("name_contains=x", "abcdefg"),
    ]

    @Test(
        "Each comparison finds exactly the matching rows, and no character is a wildcard",
        arguments: DatabaseKind.allCases)
    func comparisons(kind: DatabaseKind) async throws {
        try await withWidgets(kind, Self.widgets) { database in
            for (query, expected) in Self.expectations {
                let found = try await database.ids(query).joined()
                #expect(found == expected, "\(query)")
            }
        }
    }

    @Test("A time is compared as a time and not as text", arguments: DatabaseKind.allCases)
    func moments(kind: DatabaseKind) async throws {
        var widget = Widget("a", "a")
        widget.madeAt = Timestamp(seconds: 1_767_225_600)
        try await withWidgets(kind, [widget, Widget("b", "b")]) { [widget] database in
            let found = try await database.page("made_at=2026-01-01T00:00:00Z").rows
            #expect(found == [widget])
            #expect(try await database.ids("made_at=2026-01-01T00:00:01Z") == [])
        }
    }

    @Test("A service's own conditions are combined with those of the URL", arguments: DatabaseKind.allCases)
    func conditions(kind: DatabaseKind) async throws {
        try await withWidgets(kind, Self.widgets) { database in
            func ids(_ change: (inout ListQuery) -> Void) async throws -> String {
                var list = ListQuery()
                change(&list)
                return try await database.read { [list] tx in try ResourceStore<Widget>().all(list, in: tx) }.map(\.id.text).joined()
            }
            let greater = try await ids { $0.filter("size", .greater, 5) }
            #expect(greater == "fg")
            #expect(try await ids { $0.filter("size", .greaterOrEqual, 5) } == "efg")
            #expect(try await ids { $0.filter("size", .less, 2) } == "a")
            #expect(try await ids { $0.filter("size", .lessOrEqual, 2) } == "ab")
            #expect(try await ids { $0.filter("size", .notEquals, 1) } == "bcdefg")
            #expect(try await ids { $0.filter("note", .equals, nil as String?) } == "e")
            #expect(try await ids { $0.filter("note", .notEquals, nil as String?) } == "abcdfg")
            #expect(try await ids { $0.filter("id", in: ["a", "g", "zz"]) } == "ag")
            #expect(try await ids { $0.filter("id", in: [] as [String]) } == "")
            #expect(
                try await ids {
                    $0.raw.append(("size = ? OR size = ?", [.integer(1), .integer(7)]))
                    $0.filter("is_enabled", .equals, true)
                } == "ag")
        }
    }
}
