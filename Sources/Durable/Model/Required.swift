package import CloudCore

extension Optional {
    /// Returns a value that must be there by now: an earlier step has noted it in the state, or the start in the input. A step that takes
    /// "missing" for "done" would end the workflow as if all had been well; this way it fails.
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
