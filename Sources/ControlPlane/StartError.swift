/// Why the cloud cannot be started or prepared, in a sentence for its operator.
package struct StartError: Error, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
