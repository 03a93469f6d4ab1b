/// An error in the text of a rule, with its place.
package struct PolicySyntaxError: Error, Hashable, CustomStringConvertible {
    package let problem: String
    /// The column of the first character that was not understood; columns count from 1.
    package let column: Int

    package var description: String { "\(problem), at column \(column)" }
}

extension PolicyRule {
    /// Parses a rule. `not` binds closest, then `and`, then `or`. As in oslo.policy, words are separated by blanks and
    /// by parentheses at their ends. A rule that cannot be understood is never true in oslo.policy; here it is an
    /// error, because a typing error in a policy file must not silently lock everybody out.
    package init(parsing text: String) throws(PolicySyntaxError) {
        guard !text.isEmpty else {
            self = .always
            return
        }
        var parser = PolicyRuleParser(text)
        self = try parser.rule()
    }
}

/// A recursive descent parser over the words of one rule.
private struct PolicyRuleParser {
    private struct Token {
        enum Kind: Equatable { case open, close, and, or, not, check(String), end }
        let kind: Kind
        let column: Int
    }

    private let tokens: [Token]
    private var at = 0

    init(_ text: String) { tokens = Self.tokens(of: Array(text)) }

    mutating func rule() throws(PolicySyntaxError) -> PolicyRule {
        let rule = try alternatives()
        guard next.kind == .end else {
            throw unexpected(next.kind == .close ? "there is no ( for this )" : "expected \"and\" or \"or\" between two checks")
        }
        return rule
    }

    private var next: Token { tokens[at] }

    private mutating func takes(_ kind: Token.Kind) -> Bool {
        guard next.kind == kind else { return false }
        at += 1
        return true
    }

    private func unexpected(_ problem: String) -> PolicySyntaxError { PolicySyntaxError(problem: problem, column: next.column) }

    private mutating func alternatives() throws(PolicySyntaxError) -> PolicyRule {
        var rules = [try conjunction()]
        while takes(.or) { rules.append(try conjunction()) }
        return rules.count == 1 ? rules[0] : .any(rules)
    }

    private mutating func conjunction() throws(PolicySyntaxError) -> PolicyRule {
        var rules = [try negation()]
        while takes(.and) { rules.append(try negation()) }
        return rules.count == 1 ? rules[0] : .all(rules)
    }

    private mutating func negation() throws(PolicySyntaxError) -> PolicyRule {
        if takes(.not) { return .not(try negation()) }
        if takes(.open) {
            let rule = try alternatives()
            guard takes(.close) else { throw unexpected("expected )") }
            return rule
        }
        guard case .check(let text) = next.kind else { throw unexpected("expected a check") }
        let check = try Self.check(text, column: next.column)
        at += 1
        return check
    }
}

// MARK: - Words

extension PolicyRuleParser {
    private static func tokens(of text: [Character]) -> [Token] {
        var tokens: [Token] = []
        for word in text.indices.split(whereSeparator: { text[$0].isWhitespace }) {
            // Parentheses count only at the ends of a word; those of %(name)s are inside it.
            let opening = word.prefix { text[$0] == "(" }
            let closing = word.dropFirst(opening.count).reversed().prefix { text[$0] == ")" }.count
            let inner = word.dropFirst(opening.count).dropLast(closing)
            tokens += opening.map { Token(kind: .open, column: $0 + 1) }
            if let first = inner.first { tokens.append(Token(kind: kind(of: String(text[inner])), column: first + 1)) }
            tokens += word.suffix(closing).map { Token(kind: .close, column: $0 + 1) }
        }
        return tokens + [Token(kind: .end, column: text.count + 1)]
    }

    private static func kind(of word: String) -> Token.Kind {
        switch word.lowercased() {
        case "and": .and
        case "or": .or
        case "not": .not
        default: .check(word)
        }
    }
}

// MARK: - Checks

extension PolicyRuleParser {
    private static func check(_ text: String, column: Int) throws(PolicySyntaxError) -> PolicyRule {
        if text == "@" { return .always }
        if text == "!" { return .never }
        guard let colon = text.firstIndex(of: ":") else {
            throw PolicySyntaxError(problem: "\"\(text)\" is no check: one is written name:value, @ or !", column: column)
        }
        let kind = String(text[..<colon])
        let right = String(text[text.index(after: colon)...])
        let rightColumn = column + kind.count + 1
        if kind == "rule" {
            guard !right.isEmpty else { throw PolicySyntaxError(problem: "expected the name of a rule", column: rightColumn) }
            return .reference(right)
        }
        let operand = try operand(right, column: rightColumn)
        if kind == "role" {
            if case .literal(let name) = operand { return .role(.literal(name.lowercased())) }
            return .role(operand)
        }
        if let literal = literal(kind) { return .text(literal, operand) }
        guard let credential = PolicyCredential(rawValue: kind) else {
            throw PolicySyntaxError(problem: "there is no credential \"\(kind)\"", column: column)
        }
        return .credential(credential, operand)
    }

    private static func operand(_ text: String, column: Int) throws(PolicySyntaxError) -> PolicyRule.Operand {
        guard !text.isEmpty else { throw PolicySyntaxError(problem: "expected a value after the colon", column: column) }
        guard text.contains("%") else { return .literal(text) }
        let name = text.dropFirst(2).dropLast(2)
        guard text.hasPrefix("%("), text.hasSuffix(")s"), !name.isEmpty, !name.contains(where: { "%()".contains($0) }) else {
            throw PolicySyntaxError(problem: "an attribute of the target is written %(name)s, alone", column: column)
        }
        return .attribute(String(name))
    }

    /// Returns the fixed text on the left side of a check: a quoted text, or one of Python's constants or whole
    /// numbers. Returns nil for any other text.
    private static func literal(_ text: String) -> String? {
        if ["None", "True", "False"].contains(text) || text.allSatisfy({ "0"..."9" ~= $0 }) && !text.isEmpty { return text }
        guard let quote = text.first, quote == "'" || quote == "\"", text.count >= 2, text.last == quote else { return nil }
        let inner = text.dropFirst().dropLast()
        return inner.contains(quote) || inner.contains("\\") ? nil : String(inner)
    }
}
