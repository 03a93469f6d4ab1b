import Access
import CloudCore
import HTTPKit

/// One row of the table of actions (`ServerAction+All`): a word of `POST /servers/{server_id}/action`, and all that
/// follows from it.
struct ServerAction: Sendable {
    /// What an action comes to.
    enum Effect: Sendable {
        /// It is done before the answer, and only in these states.
        case atOnce(from: Set<VMState> = ServerRule.everyState)
        /// It starts one of the workflows. The body says which.
        case starts(anyOf: [ServerWork])

        static func starts(_ work: ServerWork) -> Effect { .starts(anyOf: [work]) }
    }

    /// The one member of the request's body.
    let word: String
    /// What is asked before it is done at once. A workflow has its own (`works`).
    let rule: ServerRule
    /// Those who may do it, unless the operator says otherwise.
    let audience: ComputePolicy.Audience
    /// The workflows that it can start.
    let works: [ServerWork]
    /// The last microversion that has it.
    private(set) var until = Int.max
    /// Reads the body, does what it says, and answers.
    let perform: @Sendable (ServerActionCall, JSON) async throws -> Reply

    /// The policies of all actions. Two words may ask the same one.
    static var policies: [PolicyDefault] {
        var known: Set<Action> = []
        return all.filter { known.insert($0.rule.policy).inserted }.map { $0.audience.rule($0.rule.policy) }
    }

    static func named(_ word: String) -> ServerAction? { byWord[word] }

    private static let byWord = Dictionary(all.map { ($0.word, $0) }) { first, _ in first }
}

// MARK: Rows

extension ServerAction {
    /// Makes an action whose body is read.
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

    /// Makes an action whose body is read, and whose answer is empty.
    init<Value>(
        _ word: String, _ policy: Action, for audience: ComputePolicy.Audience = .members, _ effect: Effect,
        reads body: ServerActionBody<Value>, does: @escaping @Sendable (ServerActionCall, Value) async throws -> Void
    ) {
        self.init(word, policy, for: audience, effect, reads: body) { act, value in
            try await does(act, value)
            return .accepted
        }
    }

    /// Makes an action whose body may be anything.
    init(
        _ word: String, _ policy: Action, for audience: ComputePolicy.Audience = .members, _ effect: Effect,
        answer: Reply = .accepted, does: @escaping @Sendable (ServerActionCall) async throws -> Void
    ) {
        self.init(word, policy, for: audience, effect, reads: ServerActionBody<Void>.anything) { act, _ in
            try await does(act)
            return answer
        }
    }

    /// Makes an action that gives an order to the machine.
    ///
    /// - Parameter name: the action's name in refusals, and in the list of instance actions.
    static func verb<Verb: ServerVerb>(
        _ word: String, _ policy: Action, _ verb: Verb.Type, _ name: String, from states: Set<VMState>
    ) -> ServerAction {
        let work = ServerWork.verb(verb, from: states).asked(as: name, policy)
        return ServerAction(word, policy, .starts(work), reads: ServerActionBody<Void>.nothing, does: { act, _ in
            try await act.start(CommandServer<Verb>.self)
        })
    }

    /// Returns the same for an action that later microversions do not have.
    func until(_ minor: Int) -> ServerAction {
        var action = self
        action.until = minor
        return action
    }
}

/// How the value of a request's one member is read.
struct ServerActionBody<Value: Sendable>: Sendable {
    typealias Read = @Sendable (ComputeCall, JSON) throws -> Value

    /// Makes the reader for the member of this name.
    let reader: @Sendable (_ word: String) -> Read

    /// The value has this form.
    static func form(_ form: Form<Value>) -> Self {
        Self { word in
            let whole = form.inside(word)
            return { call, body in try call.read(whole, body) }
        }
    }

    /// The value has this form from a microversion on. Before, it may be anything and says nothing.
    static func form<Wrapped>(_ form: Form<Value>, since minor: Int) -> Self where Value == Wrapped? {
        Self { word in
            let whole = form.inside(word)
            return { call, body in call.minor >= minor ? try call.read(whole, body) : nil }
        }
    }
}

extension ServerActionBody<Void> {
    /// The value is not looked at.
    static var anything: Self { Self { _ in { _, _ in } } }

    /// The value may be anything but an object with members, which would say something that nobody hears.
    static var nothing: Self {
        Self { word in
            { _, body in
                guard let value = body[word], value.object?.isEmpty == false else { return }
                throw Dialect.wrong(word, value, "\(value.quoted) is not of type 'null'")
            }
        }
    }
}
