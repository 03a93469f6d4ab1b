import Access
import CloudCore
import HTTPKit

/// One row of the table of actions (`ServerAction+All`): a word of `POST /servers/{server_id}/action`, with its rule,
/// its workflows and its code.
struct ServerAction: Sendable {
    /// The effect of an action.
    enum Effect: Sendable {
        /// The action is done before the answer, and only in these states.
        case atOnce(from: Set<VMState> = ServerRule.everyState)
        /// The action starts one of these workflows. The body says which.
        case starts(anyOf: [ServerWork])

        static func starts(_ work: ServerWork) -> Effect { .starts(anyOf: [work]) }
    }

    /// The one member of the request's body.
    let word: String
    /// The conditions of an action that is done at once. A workflow has its own conditions (`works`).
    let rule: ServerRule
    /// The callers who may do the action, unless the operator sets another policy.
    let audience: ComputePolicy.Audience
    /// The workflows that the action can start.
    let works: [ServerWork]
    /// The last microversion that has the action.
    private(set) var until = Int.max
    /// Reads the body, does the action and returns the answer.
    let perform: @Sendable (ServerActionCall, JSON) async throws -> Reply

    /// The default policies of all actions. Two actions may have the same policy.
    static var policies: [PolicyDefault] {
        var known: Set<Action> = []
        return all.filter { known.insert($0.rule.policy).inserted }.map { $0.audience.rule($0.rule.policy) }
    }

    static func named(_ word: String) -> ServerAction? { byWord[word] }

    private static let byWord = Dictionary(all.map { ($0.word, $0) }) { first, _ in first }
}

// MARK: Rows

extension ServerAction {
    /// Makes an action that reads its body.
    init<Value>(
        _ word: String, _ policy: Action, for audience: ComputePolicy.Audience = .members, _ effect: Effect,
        reads body: ServerActionBody<Value>,
        answers: @escaping @Sendable (ServerActionCall, Value) async throws -> Reply
    ) {
        self.word = word
        self.audience = audience
        switch effect {
        case .atOnce(let states):
            rule = ServerRule(word: word, policy: policy, states: states)
            works = []
        case .starts(let all):
            rule = ServerRule(word: word, policy: policy)
            works = all.map { $0.rule == nil ? $0.asked(as: word, policy) : $0 }
        }
        let read = body.reader(word)
        perform = { act, body in try await answers(act, try read(act.call, body)) }
    }

    /// Makes an action that reads its body and has an empty answer.
    init<Value>(
        _ word: String, _ policy: Action, for audience: ComputePolicy.Audience = .members, _ effect: Effect,
        reads body: ServerActionBody<Value>, does: @escaping @Sendable (ServerActionCall, Value) async throws -> Void
    ) {
        self.init(word, policy, for: audience, effect, reads: body) { act, value in
            try await does(act, value)
            return .accepted
        }
    }

    /// Makes an action that ignores its body.
    init(
        _ word: String, _ policy: Action, for audience: ComputePolicy.Audience = .members, _ effect: Effect,
        answer: Reply = .accepted, does: @escaping @Sendable (ServerActionCall) async throws -> Void
    ) {
        self.init(word, policy, for: audience, effect, reads: ServerActionBody<Void>.anything) { act, _ in
            try await does(act)
            return answer
        }
    }

    /// Makes an action that gives a command to the machine.
    ///
    /// - Parameter name: the action's name in error messages and in the list of instance actions.
    static func verb<Verb: ServerVerb>(
        _ word: String, _ policy: Action, _ verb: Verb.Type, _ name: String, from states: Set<VMState>
    ) -> ServerAction {
        let work = ServerWork.verb(verb, from: states).asked(as: name, policy)
        return ServerAction(word, policy, .starts(work), reads: ServerActionBody<Void>.nothing, does: { act, _ in
            try await act.start(CommandServer<Verb>.self)
        })
    }

    /// Returns the same action, which ends with the given microversion.
    func until(_ minor: Int) -> ServerAction {
        var action = self
        action.until = minor
        return action
    }
}

/// The way in which the value of the request's one member is read.
struct ServerActionBody<Value: Sendable>: Sendable {
    typealias Read = @Sendable (ComputeCall, JSON) throws -> Value

    /// Returns the reader for the member of this name.
    let reader: @Sendable (_ word: String) -> Read

    /// Returns the body whose value has this form.
    static func form(_ form: Form<Value>) -> Self {
        Self { word in
            let whole = form.inside(word)
            return { call, body in try call.read(whole, body) }
        }
    }

    /// Returns the body whose value has this form from a microversion on. Before, the value is ignored.
    static func form<Wrapped>(_ form: Form<Value>, since minor: Int) -> Self where Value == Wrapped? {
        Self { word in
            let whole = form.inside(word)
            return { call, body in call.minor >= minor ? try call.read(whole, body) : nil }
        }
    }
}

extension ServerActionBody<Void> {
    /// The body whose value is ignored.
    static var anything: Self { Self { _ in { _, _ in } } }

    /// The body whose value may be anything but an object with members, which would have no effect.
    static var nothing: Self {
        Self { word in
            { _, body in
                guard let value = body[word], value.object?.isEmpty == false else { return }
                throw Dialect.wrong(word, value, "\(value.quoted) is not of type 'null'")
            }
        }
    }
}
