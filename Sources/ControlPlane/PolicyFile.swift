import Yams

/// The operator's policy rules, in the format of oslo.policy: a name and its rule on each line.
enum PolicyFile {
    /// Reads the rules, each by its name.
    ///
    /// - Parameter path: the file; nil for no rules.
    static func read(_ path: String?) throws -> [String: String] {
        guard let path else { return [:] }
        guard let text = try Files.text(path) else { throw StartError("There is no policy file \(path).") }
        let root: Node?
        do {
            root = try compose(yaml: text)
        } catch {
            throw StartError("\(path) is not YAML: \("\(error)".split(separator: "\n").first ?? "").")
        }
        guard let root, root.null == nil else { return [:] }
        guard case .mapping(let rules) = root else { throw StartError("\(path) must have lines as `name: \"rule\"`.") }
        var overrides: [String: String] = [:]
        for (name, rule) in rules {
            guard let key = name.string, case .scalar(let scalar) = rule else {
                throw StartError("\(path), line \(name.mark?.line ?? 0): a rule must be a text.")
            }
            overrides[key] = scalar.string
        }
        return overrides
    }
}
