package import CloudCore

/// The content of a checked body: the fields that it has, and the input for the resource's service. Members of the
/// input are read as members of this value: `given.password`.
@dynamicMemberLookup
package struct Given<R: Resource>: Sendable {
    /// The members of the body, for code that treats all nouns alike. A noun's own service uses `has` and the input
    /// instead.
    package let members: JSONObject
    /// The place of the object in the body, for messages: `user`, `limits/3`.
    package let place: String
    package var input = R.Input()

    /// Reads a body that was checked against its shape.
    ///
    /// - Throws: `CloudError.badRequest` for a value that fits its shape but has no meaning.
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

    /// Tells whether the body has a field, even if its value is null.
    package func has(_ path: PartialKeyPath<R>) -> Bool { value(at: path) != nil }

    /// Tells whether the body has a value other than null for a field.
    package func sets(_ path: PartialKeyPath<R>) -> Bool { value(at: path).map { !$0.isNull } ?? false }

    private func value(at path: PartialKeyPath<R>) -> JSON? {
        R.schema.fields.lazy.filter { $0.isAt(path) }.compactMap { members[$0.name] }.first
    }
}
