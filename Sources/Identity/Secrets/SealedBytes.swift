import CloudCore
import Resources
import SQL

/// What the keyring sealed, as a resource's column. It has no JSON: it neither comes in a body nor is shown.
struct SealedBytes: FieldValue {
    var box: [UInt8]

    init(_ box: [UInt8] = []) { self.box = box }

    var json: JSON { .null }
    init?(json: JSON) { nil }

    var sql: SQLValue { .blob(box) }
    init?(sql: SQLValue) {
        guard case .blob(let box) = sql else { return nil }
        self.box = box
    }
}
