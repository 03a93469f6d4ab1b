package import CloudCore

/// What a checked body says of a resource: which of its fields, and the input for its service, whose members are read
/// as its own: `given.password`.
@dynamicMemberLookup
package struct Given<R: Resource>: Sendable {
    /// The members of the body, for what goes for all nouns alike. A noun's own service asks `has` and the input.
    package let members: JSONObject
    /// The place of the object in the body, for messages: `user`, `limits/3`.
    package let place: String
    package var input = R.Input()

    /// Reads what a shape has let through.
    ///
    /// - Throws: `CloudError.badRequest` for a value that fits its shape and has no meaning.
    package init(_ members: JSONObject, at place: String) throws {
        self.members = members
        self.place = place
        for field in R.schema.inputs {
            if let value = members[field.name] { try field.input?(&input, value) }
        }
    }

    package subscript<Value>(dynamicMember path: WritableKeyPath<R.Input, Value>) -> Value {
        get { input[keyPath: path] }
        set { input[keyPath: path] = newValue }
    }

    /// Tells whether the body has a field, be it null.
    package func has(_ path: PartialKeyPath<R>) -> Bool { value(at: path) != nil }

    /// Tells whether the body has a value for a field, and no null.
    package func sets(_ path: PartialKeyPath<R>) -> Bool { value(at: path).map { !$0.isNull } ?? false }

    private func value(at path: PartialKeyPath<R>) -> JSON? {
        R.schema.fields.lazy.filter { $0.isAt(path) }.compactMap { members[$0.name] }.first
    }
}
