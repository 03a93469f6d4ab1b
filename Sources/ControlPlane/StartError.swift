/// The reason why the cloud cannot start or be prepared, in a sentence for the operator.
package struct StartError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
