package import CloudCore

/// The resources that one consumer is to hold from now on. They replace everything that it held.
package struct Claim: Sendable {
    /// The caller's knowledge of the consumer's generation.
    package enum Expectation: Sendable {
        /// Any generation is accepted.
        case anything
        /// The generation must be this one; nil for a consumer that must not exist yet.
        case exactly(Int?)
    }

    package struct Part: Sendable {
        package var providerID: ID<Kind.Provider>
        package var resources: [(resourceClass: String, amount: Int64)]
        /// The provider's generation that the caller has seen; nil if any is accepted.
        package var generation: Int?

        package init(
            providerID: ID<Kind.Provider>, resources: [(resourceClass: String, amount: Int64)], generation: Int? = nil
        ) {
            self.providerID = providerID
            self.resources = resources
            self.generation = generation
        }
    }

    package var consumerID: ID<Kind.Consumer>
    package var projectID: String
    package var userID: String
    /// The type of the consumer, such as `INSTANCE` or `MIGRATION`; nil to leave it as it is.
    package var type: String?
    package var expects: Expectation
    /// The resources by provider; empty to give back everything. Each provider appears in one part at most.
    package var parts: [Part]

    package init(
        consumerID: ID<Kind.Consumer>, projectID: String, userID: String, type: String?, expects: Expectation, parts: [Part]
    ) {
        self.consumerID = consumerID
        self.projectID = projectID
        self.userID = userID
        self.type = type
        self.expects = expects
        self.parts = parts
    }
}

/// The reason why a claim was refused. Nothing was written, so the transaction can go on, for example with another
/// provider.
package enum ClaimRefusal: Error, Sendable, Equatable {
    case unknownClass(String)
    case noProvider(ID<Kind.Provider>)
    case providerChanged(ID<Kind.Provider>, expected: Int, actual: Int)
    /// The consumer has another generation than expected. A generation is nil for a consumer that does not exist.
    case consumerChanged(ID<Kind.Consumer>, expected: Int?, actual: Int?)
    /// All amounts that are missing, in the order of the request; at least one.
    case lacking([Lack])

    /// One resource class that a provider cannot give in the requested amount.
    package struct Lack: Sendable, Equatable, CustomStringConvertible {
        package enum Reason: Sendable, Equatable {
            case noInventory
            /// The provider gives `least` to `most` to one consumer, in multiples of `step`.
            case portion(least: Int64, most: Int64, step: Int64)
            /// Only `free` is free. The amounts that the claim's consumers hold now count as free.
            case full(free: Int64)
        }

        package let providerID: ID<Kind.Provider>
        package let resourceClass: String
        package let wanted: Int64
        package let reason: Reason

        /// The lack in words for operators, without the provider.
        package var description: String {
            let what = "\(wanted) of \(resourceClass) wanted"
            return switch reason {
            case .noInventory: "\(what), it has none"
            case .portion(let least, let most, let step): "\(what), it gives \(least) to \(most) in steps of \(step)"
            case .full(let free): "\(what), \(free) free"
            }
        }

        /// The missing amount; nil if the amount has the wrong portion.
        package var missing: Int64? {
            switch reason {
            case .noInventory: wanted
            case .portion: nil
            case .full(let free): wanted - free
            }
        }
    }
}

extension ClaimRefusal: CustomStringConvertible {
    /// The refusal in words for operators.
    package var description: String {
        switch self {
        case .unknownClass(let name): "no such resource class: \(name)"
        case .noProvider(let id): "no such provider: \(id)"
        case .providerChanged(let id, let expected, let actual): "provider \(id) has generation \(actual), not \(expected)"
        case .consumerChanged(let id, let expected, let actual):
            "consumer \(id) has generation \(actual.map(String.init) ?? "none"), not \(expected.map(String.init) ?? "none")"
        case .lacking(let lacks): lacks.map { "provider \($0.providerID): \($0)" }.joined(separator: "; ")
        }
    }
}

/// The resources that a consumer holds.
package struct ConsumerAllocations: Sendable {
    package let generation: Int
    package let projectID: String
    package let userID: String
    package let type: String?
    package let parts: [Claim.Part]
}
