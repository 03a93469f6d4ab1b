import CloudCore
import SQL

// Every row of every list walks all fields of its resource. What is done for each is therefore free of generic types: their metadata would be
// looked up anew for each value. A field knows where in the struct its value is, and how a value of its type is read and written there.

/// How a value of one type is read and written where it lies in memory.
package struct ValueAccess: Sendable {
    let json: @Sendable (UnsafeRawPointer) -> JSON
    let sql: @Sendable (UnsafeRawPointer) -> SQLValue
    /// False, and nothing has changed, when the column holds something of another type.
    let take: @Sendable (UnsafeMutableRawPointer, SQLValue) -> Bool

    /// - Parameter type: what lies there.
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

/// Where a field's value is within its resource.
struct Place<R>: Sendable {
    /// Bytes from the start of the struct to what `access` is told; 0 where that is the struct itself.
    let offset: Int
    let access: ValueAccess

    /// What is stored in the struct is reached directly, what is computed by its key path.
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

    init(derived: @escaping @Sendable (R) -> JSON) {
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

/// A column and the place to which its values go.
struct StoredColumn: Sendable {
    let field: String
    let offset: Int
    let take: @Sendable (UnsafeMutableRawPointer, SQLValue) -> Bool

    /// Puts a row's values, which are in the columns' order, to their places.
    ///
    /// - Returns: the field whose column holds something else than the field says.
    static func put(_ values: [SQLValue], _ columns: [StoredColumn], into resource: UnsafeMutableRawPointer) -> String? {
        for at in columns.indices where !columns[at].take(resource + columns[at].offset, values[at]) { return columns[at].field }
        return nil
    }
}

/// A member of a view.
package struct ShownMember: Sendable {
    /// As a view writes it.
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
