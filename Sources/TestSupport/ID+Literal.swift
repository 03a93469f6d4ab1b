package import CloudCore

/// Tests write ids as literals.
extension ID: ExpressibleByStringInterpolation {
    package init(stringLiteral text: String) { self.init(text) }
}
