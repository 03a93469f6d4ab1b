package import CloudCore

extension Optional {
    /// Returns a value that must be there by now, because an earlier step noted it in the state or the start noted it
    /// in the input. A step that took "missing" for "done" would end the workflow as if all had gone well; with this
    /// check it fails.
    ///
    /// - Parameters:
    ///   - name: the member of the state or the input.
    ///   - step: the step that notes it; `start` for the input.
    /// - Throws: an internal error that names both.
    package func required(_ name: String, from step: String) throws(CloudError) -> Wrapped {
        guard let value = self else { throw .internalError("'\(name)' is missing: '\(step)' should have noted it") }
        return value
    }
}
