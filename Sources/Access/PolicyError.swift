/// The error of a set of rules that is no policy. It stops the start, so that a cloud never runs with unintended rules.
package enum PolicyError: Error, Hashable, CustomStringConvertible {
    case badRule(name: String, text: String, PolicySyntaxError)
    /// The policy file has a rule for a name that no default declares.
    case unknownName(String)
    case unknownReference(to: String, in: String)
    /// The rules refer to each other; the first name is also the last.
    case cycle([String])
    /// Two defaults have the same name.
    case duplicateName(String)

    package var description: String {
        switch self {
        case .badRule(let name, let text, let error): "The policy rule \(name) cannot be read: \(error) of \"\(text)\"."
        case .unknownName(let name): "The policy has no rule named \(name)."
        case .unknownReference(let reference, let name):
            "The policy rule \(name) refers to rule:\(reference), which does not exist."
        case .cycle(let names): "The policy rules refer to each other in a circle: \(names.joined(separator: " -> "))."
        case .duplicateName(let name): "The policy rule \(name) is declared twice."
        }
    }
}
