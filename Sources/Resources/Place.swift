import CloudCore
import SQL

// For each row of a list, the code goes through all fields of the resource. The work for each field therefore uses no
// generic types, because their metadata would be looked up for each value. Instead, a field knows where in the struct
// its value is, and how a value of its type is read and written there.

/// The functions that read and write a value of one type at its place in memory.
package struct ValueAccess: Sendable {
    let json: @Sendable (UnsafeRawPointer) -> JSON
    let sql: @Sendable (UnsafeRawPointer) -> SQLValue
    /// Stores a column's value. Returns false, and changes nothing, if the column holds a value of another type.
    let take: @Sendable (UnsafeMutableRawPointer, SQLValue) -> Bool

    /// - Parameter type: the type of the value in memory.
    init<Value: FieldValue>(of type: Value.Type) {
        json = { $0.assumingMemoryBound(to: Value.self).pointee.json }
        sql = { $0.assumingMemoryBound(to: Value.self).pointee.sql }
        take = { $0.assumingMemoryBound(to: Value.self).pointee.take($1) }
    }

    fileprivate init(
        json: @escaping @Sendable (UnsafeRawPointer) -> JSON, sql: @escaping @Sendable (UnsafeRawPointer) -> SQLValue = { _ in .null },
        take: @escaping @Sendable (UnsafeMutableRawPointer, SQLValue) -> Bool = { _, _ in true }
    ) {
        self.json = json
        self.sql = sql
        self.take = take
    }
}

/// The place of a field's value within its resource.
struct Place<R>: Sendable {
    /// The distance in bytes from the start of the struct to the value; 0 if `access` takes the whole struct.
    let offset: Int
    let access: ValueAccess

    /// Makes the place of a property. A stored property is accessed directly, a computed one by its key path.
    init<Value: FieldValue>(_ path: any WritableKeyPath<R, Value> & Sendable) {
        if let offset = MemoryLayout<R>.offset(of: path) {
            self.init(offset: offset, access: Value.access)
        } else {
            self.init(get: { $0[keyPath: path] }, take: { $0[keyPath: path].take($1) })
        }
    }

    init<Part, Value: FieldValue>(
        _ part: any WritableKeyPath<R, Part> & Sendable, _ path: any WritableKeyPath<Part, Value> & Sendable
    ) {
        if let outer = MemoryLayout<R>.offset(of: part), let inner = MemoryLayout<Part>.offset(of: path) {
            self.init(offset: outer + inner, access: Value.access)
        } else {
            self.init(get: { $0[keyPath: part][keyPath: path] }, take: { $0[keyPath: part][keyPath: path].take($1) })
        }
    }

    /// Makes the place of a value that is computed. A resource is a large value, and borrowing it makes no copy.
    init(derived: @escaping @Sendable (borrowing R) -> JSON) {
        self.init(offset: 0, access: ValueAccess(json: { derived($0.assumingMemoryBound(to: R.self).pointee) }))
    }

    private init<Value: FieldValue>(get: @escaping @Sendable (R) -> Value, take: @escaping @Sendable (inout R, SQLValue) -> Bool) {
        self.init(
            offset: 0,
            access: ValueAccess(
                json: { get($0.assumingMemoryBound(to: R.self).pointee).json }, sql: { get($0.assumingMemoryBound(to: R.self).pointee).sql },
                take: { take(&$0.assumingMemoryBound(to: R.self).pointee, $1) }))
    }

    private init(offset: Int, access: ValueAccess) {
        self.offset = offset
        self.access = access
    }

    func json(_ resource: UnsafePointer<R>) -> JSON { access.json(UnsafeRawPointer(resource) + offset) }
    func sql(_ resource: UnsafePointer<R>) -> SQLValue { access.sql(UnsafeRawPointer(resource) + offset) }
}

/// A column, with the place of its values in the struct.
struct StoredColumn: Sendable {
    let field: String
    let offset: Int
    let take: @Sendable (UnsafeMutableRawPointer, SQLValue) -> Bool

    /// Stores the values of a row, which come in the order of the columns.
    ///
    /// - Returns: the first field whose column holds a value of another type; nil if all fit.
    static func put(_ values: [SQLValue], _ columns: [StoredColumn], into resource: UnsafeMutableRawPointer) -> String? {
        for at in columns.indices where !columns[at].take(resource + columns[at].offset, values[at]) { return columns[at].field }
        return nil
    }
}

/// A member of a view.
package struct ShownMember: Sendable {
    /// The name as JSON text, with quotes and colon.
    let key: [UInt8]
    let isLeftOutWhenNull: Bool
    let offset: Int
    let json: @Sendable (UnsafeRawPointer) -> JSON

    static func write(_ members: [ShownMember], of resource: UnsafeRawPointer, into writer: inout JSONWriter) {
        for member in members {
            let value = member.json(resource + member.offset)
            if member.isLeftOutWhenNull, value.isNull { continue }
            writer.key(written: member.key)
            writer.value(value)
        }
    }
}
